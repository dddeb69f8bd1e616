import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const CODE = /^[a-z]+(-[a-z]+)*$/
const INDEX = 'README.md'

/** Where the pages of codes lie, run from source or from the bundle; undefined when they were not installed. */
function folderOfPages(): string | undefined {
  const here = fileURLToPath(import.meta.url)
  for (let folder = dirname(here); folder !== dirname(folder); folder = dirname(folder)) {
    const pages = join(folder, 'docs', 'errors')
    if (existsSync(join(pages, INDEX))) return pages
  }
  return undefined
}

/** The page of a code. */
export function pageOf(code: string): string | undefined {
  const folder = CODE.test(code) ? folderOfPages() : undefined
  const file = folder === undefined ? undefined : join(folder, `${code}.md`)
  return file !== undefined && existsSync(file) ? readFileSync(file, 'utf8') : undefined
}

/** Every code that has a page. */
export function explainedCodes(): string[] {
  const folder = folderOfPages()
  if (folder === undefined) return []
  return readdirSync(folder)
    .filter((name) => name.endsWith('.md') && name !== INDEX)
    .map((name) => name.slice(0, -'.md'.length))
    .sort()
}
