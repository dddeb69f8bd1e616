import { resolve } from 'node:path'
import { ConfigInvalid } from './errors.ts'
import { readUserFile } from './file.ts'

/**
 * Text of the files that another file names, by the names it gives them; paths are relative to its folder. What cannot be
 * read is left out: whoever reads the other file says at which line it was needed.
 *
 * @param most characters of a file, and one more so that it is seen to be too long
 */
export async function readAttached(
  names: readonly string[],
  folder: string,
  most: number
): Promise<Record<string, string>> {
  const found = await Promise.all(
    names.map(async (name): Promise<[string, string][]> => {
      try {
        const { text } = await readUserFile(resolve(folder, name))
        return [[name, text.slice(0, most + 1)]]
      } catch (error) {
        if (error instanceof ConfigInvalid) return []
        throw error
      }
    })
  )
  return Object.fromEntries(found.flat())
}
