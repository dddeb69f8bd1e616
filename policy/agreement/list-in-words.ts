/** `a`, `a and b`, `a, b and c`. @param none what an empty list reads as */
export function listInWords(names: readonly string[], none = ''): string {
  const last = names.at(-1)
  if (last === undefined) return none
  return names.length === 1 ? last : `${names.slice(0, -1).join(', ')} and ${last}`
}
