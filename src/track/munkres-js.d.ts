declare module 'munkres-js' {
  /** Optimal assignment: pairs [row, column] of least total cost. The matrix needs at least one row. */
  export default function munkres(costs: readonly (readonly number[])[]): [number, number][];
}
