/** ArcFace's five points from the 68: eye centres (picture's left first), nose tip, mouth corners; 10 numbers. */
export function fivePoints(points: Float32Array): Float32Array {
  const mean = (from: number, to: number, axis: number) => {
    let sum = 0;
    for (let i = from; i < to; i++) sum += points[2 * i + axis]!;
    return sum / (to - from);
  };
  const eyes = [mean(36, 42, 0), mean(36, 42, 1), mean(42, 48, 0), mean(42, 48, 1)];
  return Float32Array.of(...eyes, points[60]!, points[61]!, points[96]!, points[97]!, points[108]!, points[109]!);
}
