import { constants } from 'node:fs'
import { type FileHandle, mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { PartInfo, PartSink, PartWriter } from '../../protocol/transfer/index.ts'

const INCOMING = '.incoming'

export interface FilePartSink extends PartSink {
  /** Where a committed part is. */
  pathOf(part: PartInfo): string
}

/**
 * A folder that receives the parts of one flow, and of one attempt: a second attempt gets another folder. A part is written
 * beside its final name, synced, renamed, and the folder synced, so that a name that is there after a crash has all its bytes.
 * Use one sink per folder at a time: leftovers of a broken transfer are removed when it is made.
 */
export async function filePartSink(directory: string): Promise<FilePartSink> {
  await mkdir(directory, { recursive: true, mode: 0o700 })
  for (const name of await readdir(directory))
    if (name.endsWith(INCOMING)) await rm(join(directory, name), { force: true })

  const pathOf = ({ index, digest }: PartInfo): string => join(directory, `${index}-${digest}.parquet`)
  let created = 0
  return {
    pathOf,
    async has(part) {
      try {
        return (await stat(pathOf(part))).size === part.bytes
      } catch (thrown) {
        if (thrown instanceof Error && 'code' in thrown && thrown.code === 'ENOENT') return false
        throw thrown
      }
    },
    async create(index) {
      created += 1
      const incoming = join(directory, `${index}-${created}${INCOMING}`)
      const flags = constants.O_CREAT | constants.O_EXCL | constants.O_WRONLY
      return fileWriter(await open(incoming, flags, 0o600), incoming, directory, pathOf)
    }
  }
}

function fileWriter(
  file: FileHandle,
  incoming: string,
  directory: string,
  pathOf: (part: PartInfo) => string
): PartWriter {
  return {
    async write(bytes) {
      for (let at = 0; at < bytes.byteLength; ) {
        const { bytesWritten } = await file.write(bytes, at)
        at += bytesWritten
      }
    },
    async commit(part) {
      await file.sync()
      await file.close()
      await rename(incoming, pathOf(part))
      const folder = await open(directory, constants.O_RDONLY)
      try {
        await folder.sync()
      } finally {
        await folder.close()
      }
    },
    async abort() {
      // Whatever fails here was meant to be thrown away: the next sink of this folder removes it.
      await file.close().catch(() => {})
      await rm(incoming, { force: true }).catch(() => {})
    }
  }
}
