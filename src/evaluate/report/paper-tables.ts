/**
 * One row of the paper's tables II–V, in the units of our metrics but for `mseL` and `mseAb`. Taken on CelebA-HQ: another
 * test set than anybody's here. Left out: both FIDs (no such features here), and table V's first column, which is headed
 * Si-MSE but has other values (3.14 for the paper's method) than table IV's Si-MSE (0.0137) and no unit.
 */
export interface PaperRow {
  readonly method: string;
  readonly detectionRate: number;
  /** Cosine by FaceNet trained on VGGFace2 and on CASIA-WebFace. */
  readonly reidCosineVgg: number;
  readonly reidCosineCasia: number;
  readonly poseError: number;
  readonly expressionError: number;
  readonly expressionAgreement: number;
  readonly siMse: number;
  readonly siL2: number;
  readonly deltaE: number;
  readonly timePerFaceMs: number;
  /** As printed: the paper's formula is not ours, see `PAPER_NOTE`. */
  readonly mseL: number;
  readonly mseAb: number;
}

function row(
  method: string,
  ...v: [number, number, number, number, number, number, number, number, number, number, number, number]
): PaperRow {
  return {
    method,
    detectionRate: v[0] / 100,
    reidCosineVgg: v[1],
    reidCosineCasia: v[2],
    poseError: v[3],
    expressionError: v[4],
    expressionAgreement: v[5] / 100,
    siMse: v[6],
    siL2: v[7],
    deltaE: v[8],
    timePerFaceMs: 1000 * v[9],
    mseL: v[10],
    mseAb: v[11],
  };
}

export const PAPER: readonly PaperRow[] = [
  row('AIDPro', 98.79, 0.1532, 0.214, 0.05, 0.051, 63.91, 0.0314, 0.0131, 10.3, 0.02, 0.1241, 0.1426),
  row('AnonyGAN', 96.79, 0.3892, 0.3768, 0.0339, 0.0321, 73.11, 0.0359, 0.0146, 9.03, 0.1, 0.1053, 0.1269),
  row('CIAGAN', 95.25, 0.1796, 0.2172, 0.0791, 0.0801, 56.55, 0.0792, 0.0185, 17.26, 0.08, 0.2153, 0.2289),
  row('DeepPrivacy', 97.24, 0.1917, 0.217, 0.052, 0.0513, 53.29, 0.0549, 0.0163, 12.27, 0.12, 0.1482, 0.171),
  row('DeepPrivacy2', 95.84, 0.1738, 0.2063, 0.0946, 0.0973, 51.23, 0.0838, 0.0211, 16.73, 0.28, 0.2087, 0.2226),
  row('FALCO', 99.74, 0.4822, 0.4996, 0.0598, 0.0598, 59.43, 0.0654, 0.0163, 13.08, 0.09, 0.1605, 0.1772),
  row('G²Face', 98.38, 0.143, 0.1916, 0.0276, 0.0252, 72, 0.0179, 0.011, 7.83, 0.03, 0.0946, 0.1077),
  row('RiDDLE', 99.86, 0.0326, 0.0941, 0.0446, 0.0446, 67.66, 0.0531, 0.0185, 14.13, 0.03, 0.1737, 0.1941),
  row('the paper', 98.04, 0.2125, 0.2184, 0.0334, 0.0318, 75, 0.0137, 0.01, 8.93, 0.12, 0.1117, 0.1163),
];

/** Table VI: which parts, and what it says of detection, likeness to the original, pose, expression, light and colour. */
export const PAPER_ABLATION = [
  {
    parts: 'no landmarks',
    detectionRate: 0.9724,
    reidCosineVgg: 0.1917,
    reidCosineCasia: 0.217,
    poseError: 0.052,
    expressionAgreement: 0.5329,
    siMse: 0.0549,
    deltaE: 12.27,
  },
  {
    parts: 'landmarks only',
    detectionRate: 0.9935,
    reidCosineVgg: 0.2193,
    reidCosineCasia: 0.2237,
    poseError: 0.036,
    expressionAgreement: 0.724,
    siMse: 0.043,
    deltaE: 9.74,
  },
  {
    parts: 'SfSNet + pyramid',
    detectionRate: 0.9533,
    reidCosineVgg: 0.4641,
    reidCosineCasia: 0.4671,
    poseError: 0.0339,
    expressionAgreement: 0.7462,
    siMse: 0.0363,
    deltaE: 10.71,
  },
  {
    parts: 'intrinsic, no pyramid',
    detectionRate: 0.9894,
    reidCosineVgg: 0.2331,
    reidCosineCasia: 0.2366,
    poseError: 0.0392,
    expressionAgreement: 0.7477,
    siMse: 0.0208,
    deltaE: 9.36,
  },
  {
    parts: 'intrinsic + pyramid',
    detectionRate: 0.9804,
    reidCosineVgg: 0.2125,
    reidCosineCasia: 0.2184,
    poseError: 0.0334,
    expressionAgreement: 0.75,
    siMse: 0.0137,
    deltaE: 8.93,
  },
] as const;

/** Metrics of the paper's whose numbers stand beside ours and are of another formula; marked with an asterisk. */
export const OTHER_FORMULA: readonly string[] = ['mseL', 'mseAb'];

/*
 * Ours are means of (ΔL / 100)² and of (Δa² + Δb²) / 2 / 128². The paper gives no formula. Its .1117 as a mean of (ΔL / 100)²
 * would be a root mean square of 33 in L*, beside a mean ΔE00 of 8.93 in the same row: such a pair needs pixels that either
 * agree or differ as black from white. As mean |ΔL| / 100, the difference that its text defines (formula 5), it fits: 11.2.
 */
export const PAPER_NOTE =
  "The paper's rows were taken on CelebA-HQ with FaceNet, dlib's landmarks and its own expression classifier; ours on another test set with other judges (found by MTCNN, pose and expression by dlib's landmarks where those are installed): not strictly comparable. * of another formula: its MSE-L and MSE-ab cannot be mean squares of L*/100 and a*b*/128, as ours are, beside its ΔE; they compare its own rows only.";
