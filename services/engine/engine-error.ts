import { Failure } from '../failure/index.ts'

/** What DuckDB says when something fails, taken apart. */
export interface EngineError {
  /** DuckDB's own class: Binder, Catalog, Parser, Conversion, "Out of Memory", … */
  type: string
  message: string
  /** Byte offset in the text that was run. */
  position: number | undefined
  subtype: string | undefined
  /** What was not found. */
  name: string | undefined
  /** The kind of entry that was not found: Table, Scalar Function, … */
  entry: string | undefined
}

export function engineError(error: unknown): EngineError {
  const text = error instanceof Error ? error.message : String(error)
  const start = text.indexOf('{"exception_type"')
  const parsed = start < 0 ? undefined : parseObject(text.slice(start))
  if (parsed === undefined) {
    const type = /^(?:Error: )?([A-Z][A-Za-z ]{2,30}) Error: /.exec(text)?.[1] ?? 'unknown'
    return { type, message: text, position: undefined, subtype: undefined, name: undefined, entry: undefined }
  }
  const field = (key: string): string | undefined =>
    typeof parsed[key] === 'string' ? parsed[key] : undefined
  const position = Number(field('position'))
  return {
    type: field('exception_type') ?? 'unknown',
    message: field('exception_message') ?? text,
    position: Number.isSafeInteger(position) ? position : undefined,
    subtype: field('error_subtype'),
    name: field('name'),
    entry: field('type')
  }
}

const FULL: readonly unknown[] = ['ENOSPC', 'EDQUOT']

/** The failure when the engine, or a file that is written, ran out of something; undefined when it failed for another reason. */
export function resourceFailure(error: unknown): Failure | undefined {
  if (error instanceof Failure) return undefined
  if (error instanceof Error && 'code' in error && FULL.includes(error.code))
    return new Failure('disk-limit', error.message, {
      cause: error,
      hint: 'the job needed more disk than there is'
    })
  const { type, message } = engineError(error)
  if (/max_temp_directory_size|No space left|disk quota/i.test(message)) {
    return new Failure('disk-limit', message, {
      cause: error,
      hint: 'the job needed more disk than it may use'
    })
  }
  if (/out of memory/i.test(type) || /^Out of Memory|failed to allocate|could not allocate/i.test(message)) {
    return new Failure('memory-limit', message, {
      cause: error,
      hint: 'the job needed more memory than it may use'
    })
  }
  return undefined
}

function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    const parsed: unknown = JSON.parse(text)
    return typeof parsed === 'object' && parsed !== null ? { ...parsed } : undefined
  } catch {
    return undefined
  }
}
