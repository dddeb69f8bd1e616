/** Letters; longer ones are no names that somebody mistyped, and comparing them takes time. */
const LONGEST = 128

/** Of names as long as the longer of the two; below five letters two changes leave too little to recognise. */
function allowed(one: string, other: string): number {
  return Math.max(1, Math.floor((Math.max(one.length, other.length) + 1) / 3))
}

/**
 * Optimal string alignment distance (Damerau 1964, in its restricted form): a swap of neighbours, as in `purpsoes`, counts
 * as one change.
 *
 * @returns infinity once it is more than `most`
 */
function distance(one: string, other: string, most: number): number {
  if (Math.abs(one.length - other.length) > most) return Number.POSITIVE_INFINITY
  let before: number[] = []
  let above = Array.from({ length: other.length + 1 }, (_, index) => index)
  for (let row = 1; row <= one.length; row += 1) {
    const current = [row]
    for (let column = 1; column <= other.length; column += 1) {
      const same = one[row - 1] === other[column - 1]
      const swapped =
        row > 1 && column > 1 && one[row - 1] === other[column - 2] && one[row - 2] === other[column - 1]
      current[column] = Math.min(
        (above[column] ?? 0) + 1,
        (current[column - 1] ?? 0) + 1,
        (above[column - 1] ?? 0) + (same ? 0 : 1),
        swapped ? (before[column - 2] ?? 0) + 1 : Number.POSITIVE_INFINITY
      )
    }
    // A swap reaches over one row, so two rows must be too far
    if (Math.min(...current) > most && Math.min(...above) > most) return Number.POSITIVE_INFINITY
    before = above
    above = current
  }
  return above[other.length] ?? 0
}

/**
 * The name that was probably meant, for a message; undefined when none is near. The law of every suggestion here: case
 * aside, about a third of the letters may differ, one always may; of several equally near the first.
 */
export function nearest(name: string, known: Iterable<string>): string | undefined {
  if (name.length > LONGEST) return undefined
  const wanted = name.toLowerCase()
  let best: string | undefined
  let least = Number.POSITIVE_INFINITY
  for (const candidate of known) {
    if (candidate.length > LONGEST) continue
    const most = Math.min(allowed(name, candidate), least - 1)
    const away = most < 0 ? Number.POSITIVE_INFINITY : distance(wanted, candidate.toLowerCase(), most)
    if (away > most) continue
    best = candidate
    least = away
  }
  return best
}
