/** Everything measured on one face of one pair. Numbers are NaN where they could not be measured. */
export interface FaceRecord {
  /** The pair's name, with `#2`, `#3` … for further faces of a picture. */
  readonly name: string;
  readonly person: string;
  /** By metric name; see `METRICS`. */
  readonly values: Readonly<Record<string, number>>;
  /** Labels of the expression judge: original, anonymized, original shifted by two pixels; −1 where not classified. */
  readonly expression: readonly [number, number, number];
  /** By recognizer: the original's embedding and the anonymized one's. */
  readonly embeddings: Readonly<Record<string, { readonly original: Float32Array; readonly anonymized: Float32Array }>>;
  /** 136 numbers each in canonical crop pixels of the original; the second is undefined when no face was found again. */
  readonly points: { readonly original: Float32Array; readonly anonymized?: Float32Array };
  /** 136 numbers, the original's points in pixels of the picture. */
  readonly inPicture: Float32Array;
  /** 64² RGB of the same square of both pictures. Never leaves but in the report, which says that it holds originals. */
  readonly thumbs: {
    readonly original: Uint8Array;
    readonly anonymized: Uint8Array;
    /** The output in the square of its own points, as an attacker who has only the output would cut it out. */
    readonly outputAlone: Uint8Array;
  };
}

/** What is known of a metric without measuring anything. */
export interface MetricInfo {
  readonly label: string;
  readonly better: 'lower' | 'higher';
  readonly digits: number;
}

/** Per-face metrics whose mean over the faces is reported, in the order of the tables. */
export const METRICS = {
  detectionRate: { label: 'face found again', better: 'higher', digits: 3 },
  detectionRateMtcnn: { label: 'face found again by MTCNN', better: 'higher', digits: 3 },
  poseError: { label: 'pose error', better: 'lower', digits: 4 },
  expressionError: { label: 'expression error', better: 'lower', digits: 4 },
  poseErrorDlib: { label: 'pose error (dlib)', better: 'lower', digits: 4 },
  expressionErrorDlib: { label: 'expression error (dlib)', better: 'lower', digits: 4 },
  reidCosineA: { label: 'cosine to the original, fr_feature', better: 'lower', digits: 3 },
  reidDistanceB: { label: 'distance to the original, dlib', better: 'higher', digits: 3 },
  reidCosineC: { label: 'cosine to the original, MobileFaceNet', better: 'lower', digits: 3 },
  siMse: { label: 'Si-MSE', better: 'lower', digits: 4 },
  siL2: { label: 'Si-L2 (harmonics)', better: 'lower', digits: 4 },
  deltaL: { label: 'ΔL', better: 'lower', digits: 2 },
  deltaC: { label: 'ΔC', better: 'lower', digits: 2 },
  deltaE: { label: 'ΔE CIEDE2000', better: 'lower', digits: 2 },
  deltaLAlbedo: { label: 'ΔL of albedo', better: 'lower', digits: 2 },
  deltaCAlbedo: { label: 'ΔC of albedo', better: 'lower', digits: 2 },
  deltaEAlbedo: { label: 'ΔE of albedo', better: 'lower', digits: 2 },
  meanShiftL: { label: '|mean ΔL|', better: 'lower', digits: 2 },
  meanShiftC: { label: '|mean ΔC|', better: 'lower', digits: 2 },
  mseL: { label: 'MSE-L', better: 'lower', digits: 4 },
  mseAb: { label: 'MSE-ab', better: 'lower', digits: 4 },
  backgroundPsnr: { label: 'background PSNR, dB', better: 'higher', digits: 1 },
  backgroundSsim: { label: 'background SSIM', better: 'higher', digits: 4 },
} as const satisfies Record<string, MetricInfo>;
