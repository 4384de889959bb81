import type { Region } from '../../core/face-track.ts';
import type { Picture } from '../../core/vision.ts';
import type { ModelStore } from '../../infer/model-store.ts';
import { Recognizer } from '../../infer/recognizer.ts';
import { cosine, type Similarity } from '../metrics/reidentification.ts';
import { DlibPoints } from './dlib-points.ts';
import { DlibResnet } from './dlib-resnet.ts';
import { ExpressionNet } from './expression-net.ts';
import { fivePoints } from './five-points.ts';
import { MobileFaceNet } from './mobilefacenet.ts';
import { Mtcnn } from './mtcnn.ts';

/** A face recognizer that is asked whether two pictures show one person. */
export interface RecognizerJudge {
  /** A is the runtime's own, B and C are independent of it. */
  readonly key: 'A' | 'B' | 'C';
  readonly name: string;
  readonly similarity: Similarity;
  /** @param points 68 points, picture pixels */
  embed(picture: Picture, points: Float32Array): Promise<Float32Array>;
}

export interface ExpressionJudge {
  readonly name: string;
  readonly labels: readonly string[];
  /** @returns probabilities of the labels @param shiftPx moves the crop, to see how steady the judge itself is */
  classify(picture: Picture, points: Float32Array, shiftPx?: number): Promise<Float32Array>;
}

export interface DetectorJudge {
  readonly name: string;
  /** Whether it finds a face where `box` is (picture pixels). */
  finds(picture: Picture, box: Region): Promise<boolean>;
  /** All faces it is sure of, picture pixels. */
  all(picture: Picture): Promise<Region[]>;
}

export interface LandmarkJudge {
  readonly name: string;
  /** 136 numbers, picture pixels, inside the detector's box. */
  find(picture: Picture, box: Region): Float32Array;
}

/** Whoever can be asked on this machine; `absent` names those that can't, with the reason. */
export interface Judges {
  readonly recognizers: readonly RecognizerJudge[];
  readonly expression?: ExpressionJudge;
  readonly mtcnn?: DetectorJudge;
  readonly dlibPoints?: LandmarkJudge;
  readonly absent: readonly string[];
}

/** The recognizer of the runtime, and everything of the manifest's group `evaluate` that is in the cache. */
export async function openJudges(store: ModelStore): Promise<Judges> {
  const recognizer = await Recognizer.create(store);
  const own: RecognizerJudge = {
    key: 'A',
    name: 'fr_feature',
    similarity: cosine,
    embed: (picture, points) => recognizer.embed(picture, fivePoints(points)),
  };
  const absent: string[] = [];
  const optional = async <T>(
    name: string,
    models: readonly string[],
    open: () => Promise<T>,
  ): Promise<T | undefined> => {
    if (models.every((m) => store.has(m))) return open();
    absent.push(`${name}: not fetched; run node scripts/fetch-models.mjs --group evaluate`);
    return undefined;
  };
  const dlib = await optional('dlib ResNet', ['judge-dlib-resnet'], () => DlibResnet.create(store));
  const mobile = await optional('MobileFaceNet', ['judge-mobilefacenet'], () => MobileFaceNet.create(store));
  const expression = await optional('expression net', ['judge-expression'], () => ExpressionNet.create(store));
  const nets = ['p', 'r', 'o'].map((n) => `judge-mtcnn-${n}net`);
  const mtcnn = await optional('MTCNN', nets, () => Mtcnn.create(store));
  const dlibPoints = DlibPoints.open();
  if (!dlibPoints) absent.push("dlib's 68 points: not installed; run apt-get install libdlib-data");
  return {
    recognizers: [own, dlib, mobile].filter((j) => j !== undefined),
    ...(expression && { expression }),
    ...(mtcnn && { mtcnn }),
    ...(dlibPoints && { dlibPoints }),
    absent,
  };
}
