import type { Detection } from '../core/face-track.ts';
import type { Picture } from '../core/vision.ts';
import type { KeyedFace } from './attacks/keyed-output.ts';
import { embedMean } from './attacks/pixel-mean.ts';
import { compareFaces } from './compare-faces.ts';
import { followFaces, type VideoLook } from './evaluate-videos.ts';
import { CropReader, canonicalSquare, THUMB } from './face-crop.ts';
import type { FaceRecord } from './face-record.ts';
import type { RecognizerJudge } from './judges/judges.ts';
import { literalRelighting } from './literal-relighting.ts';
import { unmeasurable } from './measurements.ts';
import { type FaceObserver, faceAt } from './observer.ts';
import type { FilePair } from './pairs.ts';
import type { VideoResult } from './video-tracks.ts';
import { readPicture, readPictures } from './y4m.ts';

/** A recognizer as the scores need it: without its network. */
export type RecognizerInfo = Pick<RecognizerJudge, 'key' | 'name' | 'similarity'>;

export type Embeddings = Readonly<Record<string, Float32Array>>;

/**
 * Whatever is asked of the judges, a file or a pair at a time, so that it can be asked in another thread. What cannot be
 * measured is an Error whose message is the reason.
 */
export interface Measurer {
  readonly recognizers: readonly RecognizerInfo[];
  /** Judges that cannot be asked here, and why. */
  readonly absent: readonly string[];
  /** Tells these judges from others, by their files. */
  readonly mark: string;
  /** All faces of a pair of pictures. */
  pair(pair: FilePair, person: string): Promise<FaceRecord[]>;
  /** All faces of a pair of videos over time. */
  video(pair: FilePair, look: VideoLook): Promise<VideoResult>;
  /** By recognizer: the best face of a picture. */
  embed(path: string): Promise<Embeddings>;
  /** A picture's faces where another picture's were (136 numbers each, picture pixels), found again or not. */
  embedAt(path: string, faces: readonly Float32Array[]): Promise<KeyedFace[]>;
  /** By recognizer: the pixel mean of equally large pictures, at these points of the first (136 numbers). */
  embedMean(paths: readonly string[], points: Float32Array): Promise<Embeddings>;
  /** The pair as it would be if the output were relit by the paper's formula as written (only to show what that does). */
  literal(pair: FilePair, record: Pick<FaceRecord, 'person' | 'inPicture'>): Promise<FaceRecord[]>;
}

const thumbs = new CropReader(THUMB);

/** Asks the judges in this thread. */
export class LocalMeasurer implements Measurer {
  readonly #observer: FaceObserver;
  #before: Promise<unknown> = Promise.resolve();

  constructor(observer: FaceObserver) {
    this.#observer = observer;
  }

  get recognizers(): readonly RecognizerJudge[] {
    return this.#observer.judges.recognizers;
  }

  get absent(): readonly string[] {
    return this.#observer.judges.absent;
  }

  get mark(): string {
    return this.#observer.mark;
  }

  pair(pair: FilePair, person: string): Promise<FaceRecord[]> {
    return this.#inTurn(() => this.#pair(pair, person));
  }

  video(pair: FilePair, look: VideoLook): Promise<VideoResult> {
    return this.#inTurn(() => followFaces(pair, { observer: this.#observer, ...look }));
  }

  embed(path: string): Promise<Embeddings> {
    return this.#inTurn(() => this.#embed(path));
  }

  embedAt(path: string, faces: readonly Float32Array[]): Promise<KeyedFace[]> {
    return this.#inTurn(async () => {
      const picture = await readPicture(path);
      const found = await this.#observer.faces(picture);
      const out: KeyedFace[] = [];
      for (const points of faces) {
        const again = faceAt({ box: boxAround(points), points }, found)?.points;
        const at = again ?? points;
        const outputAlone = thumbs.bytes(picture, canonicalSquare(at));
        out.push({ embeddings: await this.#embeddings(picture, at), ...(again && { points: again }), outputAlone });
      }
      return out;
    });
  }

  embedMean(paths: readonly string[], points: Float32Array): Promise<Embeddings> {
    return this.#inTurn(async () => {
      const embeddings = await embedMean(await Promise.all(paths.map(readPicture)), points, this.recognizers);
      refuseNaN(embeddings);
      return embeddings;
    });
  }

  literal(pair: FilePair, { person, inPicture }: Pick<FaceRecord, 'person' | 'inPicture'>): Promise<FaceRecord[]> {
    return this.#inTurn(async () => {
      const { original, anonymized } = await readPair(pair);
      const relit = literalRelighting(original, anonymized, inPicture);
      const faces = await compareFaces(this.#observer, pair.original.name, person, { original, anonymized: relit });
      refuseNaNFaces(faces);
      return faces;
    });
  }

  /** The judges fill their inputs and then wait: another face that came in between would be put in the place of the first. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#before.then(work);
    this.#before = result.catch(() => {});
    return result;
  }

  async #pair(pair: FilePair, person: string): Promise<FaceRecord[]> {
    const { original, anonymized } = await readPair(pair);
    const [a, b] = [original.format, anonymized.format];
    if (a.width !== b.width || a.height !== b.height)
      throw unmeasurable(`sizes differ: ${a.width}×${a.height} and ${b.width}×${b.height}`);
    const faces = await compareFaces(this.#observer, pair.original.name, person, { original, anonymized });
    if (faces.length === 0) throw unmeasurable('no face found in the original');
    refuseNaNFaces(faces);
    return faces;
  }

  async #embed(path: string): Promise<Embeddings> {
    const picture = await readPicture(path);
    const [face] = await this.#observer.faces(picture);
    if (!face) throw unmeasurable('no face found');
    return this.#embeddings(picture, face.points);
  }

  async #embeddings(picture: Picture, points: Float32Array): Promise<Embeddings> {
    const out: Record<string, Float32Array> = {};
    for (const judge of this.recognizers) out[judge.key] = await judge.embed(picture, points);
    refuseNaN(out);
    return out;
  }
}

function boxAround(points: Float32Array): Detection {
  const [xs, ys] = [0, 1].map((axis) => points.filter((_, i) => i % 2 === axis)) as [Float32Array, Float32Array];
  const [x, y] = [Math.min(...xs), Math.min(...ys)];
  return { x, y, width: Math.max(...xs) - x, height: Math.max(...ys) - y, score: 1 };
}

async function readPair(pair: FilePair) {
  const [original, anonymized] = await readPictures(pair.original.path, pair.anonymized.path);
  return { original, anonymized };
}

/** A similarity that is no number would be below every threshold and so look like privacy. */
function refuseNaN(embeddings: Embeddings): void {
  for (const [key, embedding] of Object.entries(embeddings))
    if (!embedding.every(Number.isFinite)) throw unmeasurable(`recognizer ${key} answers NaN`);
}

function refuseNaNFaces(faces: readonly FaceRecord[]): void {
  for (const { embeddings } of faces)
    for (const [key, { original, anonymized }] of Object.entries(embeddings))
      for (const embedding of [original, anonymized]) refuseNaN({ [key]: embedding });
}
