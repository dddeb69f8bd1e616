import { isAlias, isMap, isNode, isPair, isScalar, isSeq, LineCounter, parseDocument } from 'yaml'
import { lineNestedTooDeep } from '../../policy/index.ts'
import { ConfigInvalid } from './errors.ts'

/** A file a person wrote is smaller than this; data has no place in it. */
const MAX_FILE_BYTES = 1 << 20
/** An alias may be used, a bomb of aliases may not: how many nodes aliases may stand for. */
const MAX_ALIASES = 100

export type Path = readonly PropertyKey[]
export interface Place {
  line: number
  column: number
}

/** What a file says, and where it says it. */
export interface Source {
  file: string
  value: unknown
  /** Where the value at `path` stands, or the nearest thing around it; nothing for a value that came as an object. */
  place(path: Path): Place | undefined
  /** Where the key `name` of the map at `path` stands. */
  placeOfKey(path: Path, name: string): Place | undefined
}

/** A value that never was a text, such as the body of an HTTP request. */
export function sourceOfValue(value: unknown, file: string): Source {
  return { file, value, place: () => undefined, placeOfKey: () => undefined }
}

/**
 * Reads YAML 1.2 or JSON (a subset of it). Keys are strings as written, so that the code `01` stays `01`.
 *
 * @throws {ConfigInvalid} for broken syntax, duplicate keys, unknown tags, several documents, alias bombs, more than 1 MiB
 */
export function readSource(text: string, file: string): Source {
  if (Buffer.byteLength(text) > MAX_FILE_BYTES) {
    throw new ConfigInvalid(file, [
      { path: '', message: `expected at most ${MAX_FILE_BYTES} bytes; is this a data file?` }
    ])
  }
  const deep = lineNestedTooDeep(text)
  if (deep !== undefined) {
    throw new ConfigInvalid(file, [
      { path: '', line: deep, message: 'nested too deep for a file of this kind' }
    ])
  }
  const lines = new LineCounter()
  const document = parseDocument(text.startsWith('\uFEFF') ? text.slice(1) : text, {
    lineCounter: lines,
    prettyErrors: false,
    stringKeys: true,
    uniqueKeys: true,
    version: '1.2'
  })
  const placeAt = (offset: number): Place => {
    const { line, col } = lines.linePos(offset)
    return { line: Math.max(line, 1), column: Math.max(col, 1) }
  }
  const broken = [...document.errors, ...document.warnings]
  if (broken.length > 0) {
    throw new ConfigInvalid(
      file,
      broken.slice(0, 10).map((error) => ({ ...placeAt(error.pos[0]), path: '', message: error.message }))
    )
  }
  let value: unknown
  try {
    value = document.toJS({ maxAliasCount: MAX_ALIASES })
  } catch (cause) {
    throw new ConfigInvalid(
      file,
      [{ path: '', message: 'aliases stand for too much; write the values out' }],
      {
        cause
      }
    )
  }

  const resolved = (node: unknown): unknown => (isAlias(node) ? node.resolve(document) : node)
  const pairOf = (node: unknown, key: PropertyKey) =>
    isMap(node)
      ? node.items.find(
          (item) => isPair(item) && isScalar(item.key) && String(item.key.value) === String(key)
        )
      : undefined
  const childOf = (node: unknown, key: PropertyKey): unknown => {
    if (isSeq(node)) return typeof key === 'number' ? node.items[key] : undefined
    return pairOf(node, key)?.value
  }
  const placeOfNode = (node: unknown): Place | undefined => {
    const range = isNode(node) ? node.range : undefined
    return range ? placeAt(range[0]) : undefined
  }
  const walk = (path: Path): { node: unknown; place: Place } => {
    let node: unknown = resolved(document.contents)
    let place = placeOfNode(document.contents) ?? { line: 1, column: 1 }
    for (const key of path) {
      const keyNode = pairOf(node, key)?.key
      const child = childOf(node, key)
      if (child === undefined || child === null) {
        place = placeOfNode(keyNode) ?? place
        return { node: undefined, place }
      }
      place = placeOfNode(child) ?? place
      node = resolved(child)
    }
    return { node, place }
  }
  return {
    file,
    value,
    place: (path) => walk(path).place,
    placeOfKey: (path, name) => {
      const { node, place } = walk(path)
      return placeOfNode(pairOf(node, name)?.key) ?? place
    }
  }
}
