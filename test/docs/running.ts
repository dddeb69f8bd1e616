import { spawn, spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { ROOT } from '../architecture/sources.ts'

const LONGEST_MS = 150_000
export const PROGRAM = join(ROOT, 'dist', 'dynamos.js')

/** Whether the program was built, and this machine has sandboxes. */
function canRun(): boolean {
  const jail = spawnSync('bwrap', ['--unshare-all', '--ro-bind', '/', '/', 'true'])
  return existsSync(PROGRAM) && jail.status === 0
}

/** Commands of the pages need a build and sandboxes: without them plain ./scripts/test skips, loudly, and --all fails. */
export function needsToRun(context: Mocha.Context): void {
  if (!canRun() && process.env.DYNAMOS_TEST_ALL !== '1') context.skip()
}

export async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  await new Promise<void>((resolve) => server.close(() => resolve()))
  if (address === null || typeof address === 'string') throw new Error('expected a port')
  return address.port
}

/** Runs a script in a process group of its own, which is gone when this resolves. */
export async function runAll(
  script: string,
  cwd: string
): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const child = spawn('bash', ['-c', script], { cwd, detached: true, stdio: ['ignore', 'pipe', 'pipe'] })
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', (chunk: Buffer) => {
    stdout += chunk.toString()
  })
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString()
  })
  const endGroup = () => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGTERM')
    } catch {
      // nobody of the group is left
    }
  }
  const limit = setTimeout(endGroup, LONGEST_MS)
  const code = await new Promise<number | null>((resolve) => child.once('exit', resolve))
  clearTimeout(limit)
  endGroup()
  return { code, stdout, stderr }
}
