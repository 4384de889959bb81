export { bytesToRgb, countTones, lookUp, moments, toGray, toRgb, toRgba, toRgbClipped } from './colour';
export { interleave, softened } from './mask';
export { blendLuma, largest, meanLuma } from './outline';
export { blendChromaRow, blendLumaRow, drawSpan, toTexels } from './painting';
export { halve, resize, warp } from './sampling';
