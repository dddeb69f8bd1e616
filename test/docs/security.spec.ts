import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { ROOT, text } from '../architecture/sources.ts'

const PAGE = text('docs/security.md')
const WORTH = /^(\*\*not prevented\*\*|prevented|detected|attested only)/

/** The rows of the table of attempts: attempt, worth, how, tried by. */
function attempts(): string[][] {
  const [, section = ''] = PAGE.split('## What may be tried')
  const [table = ''] = section.split('\n## ')
  return table
    .split('\n')
    .filter((line) => line.startsWith('| '))
    .slice(1)
    .map((line) =>
      line
        .split('|')
        .map((cell) => cell.trim())
        .slice(1, -1)
    )
}

describe('The page on security', () => {
  it('says of each attempt what it is worth, in one of three words', () => {
    const rows = attempts()
    expect(rows.length).to.be.above(30)
    expect(rows.filter(([, worth = '']) => !WORTH.test(worth))).to.deep.equal([])
  })

  it('names for each attempt a test that tries it, or why there is none', () => {
    const untried = attempts().filter(
      ([, worth = '', , tried = '']) =>
        !/\]\(\.\.\/test\/[\w/-]+\.spec\.ts\)/.test(tried) &&
        !(worth === 'attested only' && tried.startsWith('none: '))
    )
    expect(untried).to.deep.equal([])
  })

  it('names only files that exist', () => {
    const named = [...PAGE.matchAll(/\]\((?!https?:|#)(?<path>[^)#]+)/g)].map(
      ({ groups }) => groups?.path ?? ''
    )
    expect(named.filter((path) => !existsSync(join(ROOT, 'docs', path)))).to.deep.equal([])
  })
})
