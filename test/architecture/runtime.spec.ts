import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { expect } from 'chai'
import { ROOT } from './sources.ts'

function run(...options: string[]) {
  const program = join(ROOT, 'test/fixtures/given-up-in-wasm.mjs')
  return spawnSync(process.execPath, [...options, program], { cwd: ROOT, encoding: 'utf8', env: {} })
}

describe('The runtime', () => {
  it('outlives an optimised function that is given up while it waits for WebAssembly', () => {
    const { stdout, stderr } = run('--import=tsx', '--import=./agent/polyfill.ts')
    expect(stdout, stderr).to.equal('[null,2]')
  })

  it('would not on Node 20, left to itself; elsewhere it does', () => {
    expect(run().signal !== null).to.equal(process.versions.v8.startsWith('11.'))
  })
})
