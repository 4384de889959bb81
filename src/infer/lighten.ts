/** What nine of ten pixels are darker than, 0…255, below which a picture is lightened; to what that is brought, and by how much at most. */
const DARK = 56;
const LIGHT = 200;
const MOST = 16;
/** Every so many pixels are looked at. */
const STRIDE = 5;

const histogram = new Uint32Array(256);

/**
 * Brings what is very dark to where a network knows faces from: at a luma of 30 and less it sees none, and whoever makes the
 * picture lighter sees them all. What is not that dark stays as it is.
 * @param rgb planar, 3·n numbers, `(value − offset) · scale` of 0…255; overwritten
 */
export function lighten(rgb: Float32Array, offset: number, scale: number): void {
  const n = rgb.length / 3;
  histogram.fill(0);
  let count = 0;
  for (let i = 0; i < n; i += STRIDE, count++) {
    // Of a dark red picture it is the red that must not be driven to white.
    const value = Math.max(rgb[i]!, rgb[n + i]!, rgb[2 * n + i]!) / scale + offset;
    histogram[value < 0 ? 0 : value > 255 ? 255 : Math.round(value)]!++;
  }
  let level = 255;
  for (let above = histogram[255]!; level > 0 && above <= count / 10; ) above += histogram[--level]!;
  if (level >= DARK) return;
  const gain = Math.min(MOST, LIGHT / Math.max(1, level));
  const [black, white] = [-offset * scale, (255 - offset) * scale];
  for (let i = 0; i < rgb.length; i++) {
    const value = black + gain * (rgb[i]! - black);
    rgb[i] = value > white ? white : value;
  }
}
