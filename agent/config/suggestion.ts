/** Edit distance in which two letters that changed places count once (Damerau 1964, in its restricted form). */
function distance(one: string, other: string): number {
  let before: number[] = []
  let previous = Array.from({ length: other.length + 1 }, (_, index) => index)
  for (let row = 1; row <= one.length; row++) {
    const current = [row]
    for (let column = 1; column <= other.length; column++) {
      const same = one[row - 1] === other[column - 1]
      let best = Math.min(
        (previous[column] ?? 0) + 1,
        (current[column - 1] ?? 0) + 1,
        (previous[column - 1] ?? 0) + (same ? 0 : 1)
      )
      if (row > 1 && column > 1 && one[row - 1] === other[column - 2] && one[row - 2] === other[column - 1]) {
        best = Math.min(best, (before[column - 2] ?? 0) + 1)
      }
      current.push(best)
    }
    before = previous
    previous = current
  }
  return previous[other.length] ?? 0
}

const LONGEST_WORD = 64

/** The one of `known` that a person may have meant by `word`, if any is near enough: a third of its letters may differ. */
export function suggestionFor(word: string, known: readonly string[]): string | undefined {
  if (word.length > LONGEST_WORD) return undefined
  const lower = word.toLowerCase()
  let best: { name: string; distance: number } | undefined
  for (const name of known) {
    const found = distance(lower, name.toLowerCase())
    const allowed = Math.max(1, Math.floor(Math.max(name.length, word.length) / 3))
    if (found <= allowed && (best === undefined || found < best.distance)) best = { name, distance: found }
  }
  return best?.name
}
