import { open, stat } from 'node:fs/promises'
import { basename, extname } from 'node:path'
import type { DatasetTable } from '../../../config/index.ts'

type Format = DatasetTable['format']

const MAGIC: readonly (readonly [string, Format])[] = [
  ['PAR1', 'parquet'],
  ['SQLite format 3\0', 'sqlite']
]
const TEXTS = new Set(['.txt', '.dat', '.psv', ''])

/**
 * The format of a file where its bytes tell: those of Parquet and SQLite begin with their name. A text whose name tells nothing is
 * JSON when it begins like it, else CSV. Undefined: its name has to tell.
 */
export async function formatOfFile(path: string): Promise<Format | undefined> {
  const found = await stat(path).catch(() => undefined)
  if (found?.isDirectory()) return 'parquet'
  // a pipe would wait for somebody to write
  if (!found?.isFile()) return undefined
  const head = await headOf(path)
  const magic = MAGIC.find(([bytes]) => head.startsWith(bytes))
  if (magic !== undefined) return magic[1]
  if (!TEXTS.has(extname(path).toLowerCase())) return undefined
  return /^(\u00EF\u00BB\u00BF)?\s*[[{]/.test(head) ? 'json' : 'csv'
}

async function headOf(path: string): Promise<string> {
  const handle = await open(path, 'r')
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(64), 0, 64, 0)
    return buffer.toString('latin1', 0, bytesRead)
  } finally {
    await handle.close()
  }
}

/** What a table is called after its file, its folder, or the folder that a pattern begins with. */
export function tableNameOf(path: string): string {
  const parts = path.split('/')
  const pattern = parts.findIndex((part) => /[*?[]/.test(part))
  const named = pattern > 0 ? (parts[pattern - 1] ?? path) : path
  return basename(named, extname(named)).replaceAll(/\W/g, '_')
}
