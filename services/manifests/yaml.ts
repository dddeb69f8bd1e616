import { parseDocument } from 'yaml'
import { ManifestInvalid } from './errors.ts'

const MAX_BYTES = 256 * 1024
const MAX_NESTING = 32
const MAX_INDENTATION = 64
const MAX_ALIASES = 64
const LONGEST_PROBLEM = 500

/** The parser recurses: brackets and indentation are counted before it, those inside quotes too. */
function isNestedTooDeep(text: string): boolean {
  let open = 0
  for (const line of text.split(/\r\n|\r|\n/)) {
    // "- - - x" and "? ? x" nest as well
    const markers = /^[ \t]*(?:[-?][ \t]+)*/.exec(line)?.[0].length ?? 0
    if (markers > MAX_INDENTATION && line.trim() !== '') return true
    for (const character of line) {
      if (character === '[' || character === '{') open += 1
      else if ((character === ']' || character === '}') && open > 0) open -= 1
      if (open > MAX_NESTING) return true
    }
  }
  return false
}

/**
 * A manifest's text as plain data, bounded in size, nesting and what aliases stand for.
 *
 * @throws {ManifestInvalid}
 */
export function readYaml(bytes: Buffer, file: string): unknown {
  if (bytes.byteLength > MAX_BYTES)
    throw new ManifestInvalid(file, `expected at most ${MAX_BYTES} bytes, found ${bytes.byteLength}`)
  const text = bytes.toString('utf8')
  if (isNestedTooDeep(text)) throw new ManifestInvalid(file, 'nested too deep for a file of this kind')
  const document = parseDocument(text, { prettyErrors: true, logLevel: 'error' })
  const [broken] = document.errors
  if (broken !== undefined)
    throw new ManifestInvalid(file, `expected YAML: ${broken.message.slice(0, LONGEST_PROBLEM)}`, {
      cause: broken
    })
  try {
    return document.toJS({ maxAliasCount: MAX_ALIASES })
  } catch (cause) {
    throw new ManifestInvalid(file, 'aliases stand for too much, or for nothing; write the values out', {
      cause
    })
  }
}
