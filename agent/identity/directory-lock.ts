import { createHash } from 'node:crypto'
import { realpath, stat, unlink } from 'node:fs/promises'
import { createServer, type Server } from 'node:net'
import { join } from 'node:path'
import { z } from 'zod'
import { DirectoryInUse } from './errors.ts'
import { replacePrivateFile } from './private-file.ts'
import { processStart, textOf } from './process-start.ts'

export interface DirectoryLock {
  release(): Promise<void>
}

const holder = z.object({ pid: z.int().positive(), started: z.string(), boot: z.string() })
type Holder = z.infer<typeof holder>

async function lastHolder(path: string): Promise<Holder | undefined> {
  const text = await textOf(path)
  if (text === undefined) return undefined
  try {
    return holder.parse(JSON.parse(text))
  } catch {
    return undefined
  }
}

async function isAlive(one: Holder): Promise<boolean> {
  return (
    one.boot === (await textOf('/proc/sys/kernel/random/boot_id')) &&
    one.started === (await processStart(one.pid))
  )
}

async function listen(name: string): Promise<Server | undefined> {
  const { promise, resolve, reject } = Promise.withResolvers<Server | undefined>()
  const server = createServer((socket) => socket.destroy())
  server.once('listening', () => resolve(server))
  server.once('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EADDRINUSE') resolve(undefined)
    else reject(error)
  })
  server.listen({ path: name, exclusive: true })
  server.unref()
  return await promise
}

/**
 * Keeps a second agent off a data directory. The lock is a socket in Linux' abstract namespace, named after the directory's
 * inode: the kernel hands it to one process and takes it back when that process dies, however it dies. Since such names
 * are per network namespace, a file with the holder's process number and start time is consulted as well.
 *
 * @throws {DirectoryInUse}
 */
export async function lockDirectory(directory: string): Promise<DirectoryLock> {
  const real = await realpath(directory)
  const { dev, ino } = await stat(real, { bigint: true })
  const digest = createHash('sha256').update(`${dev}:${ino}`).digest('hex').slice(0, 40)
  const path = join(real, 'agent.pid')
  const server = await listen(`\0dynamos-agent-${digest}`)
  const last = await lastHolder(path)
  if (server === undefined) throw new DirectoryInUse(directory, last?.pid)
  if (last !== undefined && last.pid !== process.pid && (await isAlive(last))) {
    server.close()
    throw new DirectoryInUse(directory, last.pid)
  }
  const self: Holder = {
    pid: process.pid,
    started: (await processStart(process.pid)) ?? '',
    boot: (await textOf('/proc/sys/kernel/random/boot_id')) ?? ''
  }
  await replacePrivateFile(path, `${JSON.stringify(self)}\n`)
  return {
    async release() {
      await unlink(path).catch(() => undefined)
      await new Promise<void>((resolve) => server.close(() => resolve()))
    }
  }
}
