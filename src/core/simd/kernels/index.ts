export { bytesToRgb, countTones, lookUp, toGray, toRgb, toRgbClipped } from './colour';
export { blendChromaRow, blendLumaRow, drawSpan } from './painting';
export { halve, resize, warp } from './sampling';
