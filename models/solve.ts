/** Solves a small symmetric system by Gaussian elimination with pivoting. */
export function solve(matrix: number[][], right: number[]): number[] {
  const size = right.length;
  const a = matrix.map((row, index) => [...row, right[index] as number]);
  for (let column = 0; column < size; column += 1) {
    let pivot = column;
    for (let row = column + 1; row < size; row += 1) {
      if (
        Math.abs((a[row] as number[])[column] as number) > Math.abs((a[pivot] as number[])[column] as number)
      )
        pivot = row;
    }
    [a[column], a[pivot]] = [a[pivot] as number[], a[column] as number[]];
    const head = a[column] as number[];
    for (let row = 0; row < size; row += 1) {
      if (row === column) continue;
      const line = a[row] as number[];
      const factor = (line[column] as number) / (head[column] as number);
      for (let index = column; index <= size; index += 1)
        (line[index] as number) -= factor * (head[index] as number);
    }
  }
  return a.map((row, index) => (row[size] as number) / (row[index] as number));
}
