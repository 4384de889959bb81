import type { Region } from '../core/face-track.ts';
import type { PictureFormat } from '../core/video-frame.ts';
import type { DetectorWindow } from '../core/vision.ts';
import { around, centreX, centreY } from './geometry.ts';
import { lifted } from './shadows.ts';
import { detectorScale, tileGrid, wholePicture } from './tiles.ts';

/** A level of windows reduces at most this much more than the next finer one: the detector finds faces over a wider range of sizes. */
const LEVEL_STEP = 2.2;
/** Reductions of turned windows stop here: a lying face in a still picture has to fill a few hundredths of its height. */
const FINEST_TURNED_TILES = 40;

/**
 * Every window at which a still picture is looked at. There is no frame before it to know faces from, and none after it to
 * find them late: the whole picture, then tiles at even steps down to native resolution, and the picture turned to both
 * sides and upside down at those that are not too many.
 */
export function stillWindows(format: PictureFormat): DetectorWindow[] {
  const windows: DetectorWindow[] = [wholePicture(format)];
  for (const quarterTurns of [1, 2, 3] as const) windows.push({ ...wholePicture(format), quarterTurns });
  const coarsest = Math.max(format.width / 320, format.height / 240);
  for (const zoom of levels(coarsest, 1)) windows.push(...tileGrid(format, zoom));
  windows.push(...lifted(windows.filter((w, i) => w.quarterTurns === 0 && (i === 0 || detectorScale(w) < 1))));
  const turned = (zoom: number) => ([1, 2, 3] as const).flatMap((turns) => tileGrid(format, zoom, turns));
  let finest = coarsest;
  while (finest > 1 && turned(Math.max(1, finest / 2)).length <= FINEST_TURNED_TILES * 3)
    finest = Math.max(1, finest / 2);
  for (const zoom of levels(coarsest, finest)) windows.push(...turned(zoom));
  return windows;
}

/** Even steps from below `coarsest` down to `finest`. */
function levels(coarsest: number, finest: number): number[] {
  const count = Math.ceil(Math.log(coarsest / finest) / Math.log(LEVEL_STEP));
  return Array.from({ length: Math.max(0, count) }, (_, i) => finest * (coarsest / finest) ** (1 - (i + 1) / count));
}

/** Sides of the looks around a find, over its own size. */
const CONTEXTS = [3, 4.2, 6] as const;

/**
 * Windows that show a find with more and more around it. Texture that looked like a face in one tile hardly ever does so
 * again at these sizes; real faces, also blurred and dark ones, nearly always do. They may be finer than native.
 */
export function contextWindows(
  found: Region & { readonly lifted?: boolean },
  quarterTurns: DetectorWindow['quarterTurns'],
): DetectorWindow[] {
  const aspect = quarterTurns % 2 === 1 ? 3 / 4 : 4 / 3;
  const size = Math.max(found.height, found.width / aspect);
  return CONTEXTS.map((times) => {
    const box = around(centreX(found), centreY(found), size * times * aspect, size * times);
    return { ...box, quarterTurns, lifted: found.lifted ?? false };
  });
}
