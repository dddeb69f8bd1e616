import { basename } from 'node:path'
import { expect } from 'chai'
import { z } from 'zod'
import { filesBelow, roomSources, text } from './sources.ts'

const FORBIDDEN_NAMES = /(^|[-.])(utils?|helpers?|managers?|common|misc|shared)([-.]|$)/i
const KEBAB = /^[a-z0-9]+(-[a-z0-9]+)*(\.(spec|d))?\.(ts|mts)$/
const MAX_LINES = 400
/** `any` and `!` are the linter's business, which asks for a reason beside each exception; the compiler knows none. */
const SHORTCUTS = /@ts-(ignore|expect-error|nocheck)/

/** TypeScript outside tests. */
const sources = [...roomSources(), ...filesBelow('scripts', (path) => path.endsWith('.ts'))]
const tests = filesBelow('test', (path) => path.endsWith('.ts'))

const manifest = z.object({
  dependencies: z.record(z.string(), z.string()),
  devDependencies: z.record(z.string(), z.string())
})

describe('Files', () => {
  it('are named after their idea', () => {
    const named = [...sources, ...tests].filter((path) =>
      path.split('/').some((part) => FORBIDDEN_NAMES.test(part))
    )
    expect(named).to.deep.equal([])
  })

  it('are in kebab case', () => {
    expect([...sources, ...tests].filter((path) => !KEBAB.test(basename(path)))).to.deep.equal([])
  })

  it(`hold one idea each, so at most ${MAX_LINES} lines`, () => {
    expect(sources.filter((path) => text(path).split('\n').length > MAX_LINES)).to.deep.equal([])
  })

  it('never silence the compiler', () => {
    const found = [...sources, ...tests]
      .filter((path) => !path.startsWith('test/architecture/'))
      .filter((path) => SHORTCUTS.test(text(path)))
    expect(found).to.deep.equal([])
  })

  it('leave no test switched off or alone', () => {
    const found = tests.filter((path) => /\b(describe|it)\.(only|skip)\(|\bx(it|describe)\(/.test(text(path)))
    expect(found.filter((path) => !path.startsWith('test/architecture/'))).to.deep.equal([])
  })
})

describe('Packages', () => {
  it('have exact versions', () => {
    const { dependencies, devDependencies } = manifest.parse(JSON.parse(text('package.json')))
    const loose = Object.entries({ ...dependencies, ...devDependencies }).filter(
      ([, version]) => !/^\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?$/.test(version)
    )
    expect(loose).to.deep.equal([])
  })

  it('come from whatever registry the user has: the lock holds no addresses', () => {
    expect(text('package-lock.json')).not.to.match(/"resolved":\s*"https?:/)
  })
})
