export { bytesToRgb, countTones, lookUp, moments, toGray, toRgb, toRgba, toRgbClipped } from './colour';
export { blendLuma, largest, meanLuma } from './outline';
export { blendChromaRow, blendLumaRow, drawSpan } from './painting';
export { halve, resize, warp } from './sampling';
