/** Bytes of a name that every file system takes, with room for a number and an extension. */
const MOST_CHARACTERS = 48
const EXTENSION = /\.[A-Za-z0-9]{1,10}$/

/** Whatever is no letter, digit, blank, plus, dash or underscore is left out of a name. */
function safe(text: string): string {
  const kept = [...text.normalize('NFC').replaceAll(/[^\p{L}\p{N}+ _-]/gu, '_')].slice(0, MOST_CHARACTERS)
  return kept.join('').trim() || '_'
}

/**
 * Names of files for names of organisations, or of files of another machine: safe whatever they are, and each its own, also
 * where the file system does not tell capitals apart.
 */
export function fileNames(names: readonly string[]): string[] {
  const taken = new Set<string>()
  return names.map((name) => {
    const [extension = ''] = EXTENSION.exec(name) ?? []
    const stem = safe(name.slice(0, name.length - extension.length))
    for (let number = 1; ; number++) {
      const candidate = `${stem}${number === 1 ? '' : `-${number}`}${extension}`
      if (taken.has(candidate.toLowerCase())) continue
      taken.add(candidate.toLowerCase())
      return candidate
    }
  })
}
