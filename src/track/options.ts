/** What a StreamAnalyser can be told; `trackOptions` fills in the rest. */
export interface TrackOptions {
  /** `file`: a look-ahead follows, so windows may take turns; `live`: one frame at a time; `still`: one picture, all windows. */
  readonly mode: 'file' | 'live' | 'still';
  /** Secret of the session, at least 16 bytes: decides every understudy's shape. */
  readonly sessionKey: Uint8Array;
  /** Lowest detector score in [0, 1] that starts a FaceTrack, once two of three closer looks have shown a face there. */
  readonly minScore: number;
  /** Lowest score that continues one, and that the search in earlier frames accepts. */
  readonly followScore: number;
  /** A FaceTrack below this score so far gets the solid cover, however good its landmarks look. */
  readonly trustedScore: number;
  /** Frames for which a missed face is held on its predicted motion before the cover turns solid. */
  readonly holdFrames: number;
  /** Further frames of solid cover before a missed face counts as gone. */
  readonly solidFrames: number;
  /** Trusted frames in a row before a face that turned solid is generated again: no strobing. */
  readonly recoverFrames: number;
  /** Tiles and turned windows per frame, besides the whole picture and the window around each FaceTrack. */
  readonly tileBudget: number;
  /** Tiles per frame while there is no face: the generator's time is free then. */
  readonly idleTileBudget: number;
  readonly smoothing: SmoothingOptions;
  /** Largest offset of a retargeted point, in inter-ocular distances. 0 switches retargeting off. */
  readonly retargetCap: number;
  /** Two embeddings with at least this cosine are the same person. */
  readonly samePersonCosine: number;
  /** Number of the first person of this stream: streams of one session that start alike would share their understudies. */
  readonly firstPerson: number;
  /** Numbers from there on that are this stream's, and in each further range (`TrackPorts.furtherPersons`). */
  readonly persons: number;
}

/** One-Euro filter in canonical-crop pixels (the face is always 128 wide there) and seconds. */
export interface SmoothingOptions {
  /** Cut-off of a point at rest, Hz. */
  readonly minCutoffHz: number;
  /** Hz of cut-off per canonical pixel a second. */
  readonly beta: number;
  /** Cut-off of the speed estimate, Hz. */
  readonly speedCutoffHz: number;
}

const DEFAULTS: Omit<TrackOptions, 'mode' | 'sessionKey'> = {
  minScore: 0.3,
  followScore: 0.3,
  trustedScore: 0.75,
  holdFrames: 6,
  solidFrames: 24,
  recoverFrames: 4,
  tileBudget: 1,
  idleTileBudget: 3,
  smoothing: { minCutoffHz: 0.7, beta: 0.4, speedCutoffHz: 4 },
  retargetCap: 0.12,
  samePersonCosine: 0.45,
  firstPerson: 1,
  persons: Number.POSITIVE_INFINITY,
};

export function trackOptions(given: Pick<TrackOptions, 'mode' | 'sessionKey'> & Partial<TrackOptions>): TrackOptions {
  return { ...DEFAULTS, ...given };
}
