import type { TrackedFace } from '../core/face-track.ts';
import type { FaceEmbedder, FaceFinder, LandmarkFinder, Picture, PupilFinder } from '../core/vision.ts';
import { rollOf } from './canonical.ts';
import { coverArea } from './cover-region.ts';
import { DetectionPass, type Expected } from './detection-pass.ts';
import { FaceFollower } from './face-follower.ts';
import { LandmarkLocator } from './landmarks.ts';
import { FaceTrack } from './lifecycle.ts';
import { LingeringCovers } from './lingering.ts';
import { matchFaces } from './matching.ts';
import { type TrackOptions, trackOptions } from './options.ts';
import { PersonGallery } from './person.ts';
import { NOBODY, PersonNumbers } from './person-numbers.ts';
import { SceneCutDetector } from './scene-cut.ts';
import { BackSearch } from './search-back.ts';
import type { ShapeModel } from './shape-model.ts';
import { UnseenTime } from './unseen.ts';

export interface TrackPorts {
  readonly finder: FaceFinder;
  readonly landmarks: LandmarkFinder;
  readonly pupils: PupilFinder;
  readonly embedder: FaceEmbedder;
  /** Shared by streams that belong together (the pictures of a folder): the same person gets the same understudy in all. */
  readonly gallery?: PersonGallery;
  /** Takes another `TrackOptions.persons` numbers for persons of this stream alone, and says the first. */
  readonly furtherPersons?: () => number;
}

export interface FrameTime {
  readonly sequence: number;
  readonly timestampUs: number;
  /** The decoder reported an error: faces are followed, but nothing is learnt about them. */
  readonly damaged?: boolean;
}

export interface AnalysedFrame {
  readonly faces: TrackedFace[];
  /** FaceTracks seen for the first time on this frame. */
  readonly started: number[];
  readonly ended: number[];
  readonly timingsUs: { readonly detect: number; readonly landmarks: number };
}

const MAX_REMEMBERED = 64;
const MAX_DT_SECONDS = 0.5;

/** Finds and follows every face of one stream, in order. */
export class StreamAnalyser {
  readonly #options: TrackOptions;
  readonly #detection: DetectionPass;
  readonly #follower: FaceFollower;
  readonly #gallery: PersonGallery;
  readonly #scene = new SceneCutDetector();
  readonly #unseen: UnseenTime;
  readonly #searchTools;
  readonly #searches = new Map<number, BackSearch>();
  readonly #lingering = new LingeringCovers();
  #cuts: number[] = [];
  #tracks: FaceTrack[] = [];
  #lastUs: number | undefined;
  #nextId = 1;
  /** Counted here and not in the gallery: who somebody becomes must not depend on which of the streams that share one is quicker. */
  readonly #persons: PersonNumbers;

  constructor(
    ports: TrackPorts,
    shape: ShapeModel,
    options: Pick<TrackOptions, 'mode' | 'sessionKey'> & Partial<TrackOptions>,
  ) {
    this.#options = trackOptions(options);
    const { samePersonCosine, firstPerson, persons } = this.#options;
    this.#persons = new PersonNumbers(firstPerson, persons, ports.furtherPersons);
    this.#gallery = ports.gallery ?? new PersonGallery(ports.embedder, samePersonCosine);
    const locator = new LandmarkLocator(ports.landmarks, shape);
    const shared = { locator, pupils: ports.pupils, options: this.#options };
    this.#detection = new DetectionPass(ports.finder, this.#options);
    this.#unseen = new UnseenTime(this.#options.mode === 'live');
    this.#follower = new FaceFollower({ ...shared, gallery: this.#gallery, shape });
    this.#searchTools = { ...shared, finder: ports.finder };
  }

  /** @throws what the face finder throws: the frame has then not been looked at and must be veiled */
  async analyse(picture: Picture, at: FrameTime): Promise<AnalysedFrame> {
    const dt = this.#elapsed(at.timestampUs);
    const ended: number[] = [];
    const damaged = at.damaged ?? false;
    if (!damaged && this.#scene.look(picture)) this.#cut(at.sequence, ended);
    if (!damaged && this.#unseen.before(at.timestampUs)) this.#detection.lookEverywhere();
    const began = performance.now();
    const tracks = this.#tracks;
    const expected = tracks.map((t) => expectation(t, dt));
    const { found, fresh, missed, doubtful } = await matchFaces(
      this.#detection,
      picture,
      tracks,
      expected,
      this.#options,
    );
    this.#unseen.looked(at.timestampUs, damaged);
    const detected = performance.now();

    for (const { track, detection } of found) track.found(detection);
    const started = fresh.map(
      (f) => new FaceTrack(this.#nextId++, this.#persons.take(), at.sequence, f, this.#options),
    );
    this.#tracks = [...tracks, ...started];
    const faces: TrackedFace[] = [];
    for (const track of [...found.map((f) => f.track), ...started]) {
      const taken = new Set(this.#tracks.filter((t) => t !== track && t.identified > 0).map((t) => t.personId));
      const moment = { picture, timestampUs: at.timestampUs, dt, damaged, taken };
      faces.push(await this.#follower.found(track, moment));
    }
    for (const track of missed) faces.push(this.#follower.missed(track, dt));
    const lingering = this.#lingering.step(faces);
    faces.push(...lingering.covers);
    ended.push(...lingering.ended);
    for (const find of doubtful) {
      const trackId = this.#nextId++;
      const area = coverArea(find, find.angle, undefined);
      faces.push({ trackId, personId: NOBODY, score: find.score, cover: 'solid', ...area });
      ended.push(trackId);
    }
    this.#endGone(picture, faces, ended);
    for (const track of started) this.#remember(track, at.timestampUs);
    const timingsUs = {
      detect: Math.round(1000 * (detected - began)),
      landmarks: Math.round(1000 * (performance.now() - detected)),
    };
    return { faces, started: started.map((t) => t.trackId), ended, timingsUs };
  }

  /**
   * Looks for a FaceTrack on a frame before the one it started on; call it for one frame after the other, latest first.
   * @returns a cover in any case, unless the scene was cut in between or the FaceTrack is unknown
   */
  async searchBack(picture: Picture, at: FrameTime, trackId: number): Promise<TrackedFace | 'scene-cut'> {
    const search = this.#searches.get(trackId);
    if (!search) throw new Error(`FaceTrack ${trackId} is too old to be searched for`);
    if (this.#cuts.some((cut) => cut > at.sequence && cut <= search.startSequence)) return 'scene-cut';
    return search.step(picture, at.timestampUs);
  }

  /** True for a person whose embedding was taken. */
  knows(personId: number): boolean {
    return this.#gallery.knows(personId);
  }

  /** Cosine of an embedding to a person met in this stream; undefined for somebody who was never embedded. */
  likeness(personId: number, embedding: Float32Array): number | undefined {
    return this.#gallery.likeness(personId, embedding);
  }

  #elapsed(timestampUs: number): number {
    const dt = this.#lastUs === undefined ? 0 : (timestampUs - this.#lastUs) / 1e6;
    this.#lastUs = timestampUs;
    return Math.min(MAX_DT_SECONDS, Math.max(0, dt));
  }

  #cut(sequence: number, ended: number[]): void {
    for (const track of this.#tracks) {
      // What looks like a cut may be a camera that was torn about: somebody who could not be found just before is blurred, not gone.
      if (track.missed > 0)
        this.#lingering.add(this.#follower.missed(track, MAX_DT_SECONDS), this.#options.solidFrames);
      else ended.push(track.trackId);
    }
    this.#tracks = [];
    this.#detection.newScene();
    this.#cuts = [...this.#cuts, sequence].slice(-MAX_REMEMBERED);
  }

  #endGone(picture: Picture, faces: TrackedFace[], ended: number[]): void {
    const { width, height } = picture.format;
    const gone = this.#tracks.filter((t) => t.gone(width, height)).map((t) => t.trackId);
    if (gone.length === 0) return;
    ended.push(...gone);
    this.#tracks = this.#tracks.filter((t) => !gone.includes(t.trackId));
    faces.splice(0, faces.length, ...faces.filter((f) => !gone.includes(f.trackId)));
  }

  #remember(track: FaceTrack, timestampUs: number): void {
    this.#searches.set(track.trackId, new BackSearch(track, timestampUs, this.#searchTools));
    if (this.#searches.size > MAX_REMEMBERED) this.#searches.delete(this.#searches.keys().next().value as number);
  }
}

function expectation(track: FaceTrack, dt: number): Expected {
  const box = track.predict(dt);
  const roll = track.trusted && track.lastPoints ? { roll: rollOf(track.lastPoints) } : {};
  return { box, angle: track.angle, dark: track.lifted, lifted: track.lifted || track.missed > 0, ...roll };
}
