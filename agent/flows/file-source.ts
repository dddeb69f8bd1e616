import { createReadStream } from 'node:fs'
import { CHUNK_BYTES, type PartInfo, type PartSource } from '../../protocol/transfer/index.ts'

export interface FilePart extends PartInfo {
  /** Absolute; never travels. */
  readonly path: string
}

/**
 * Parts that are files already. Their bytes are read when the receiver lacks the part, and compared with the digest on the
 * way out, so that a file that changed since is never sent as what it was.
 */
export function filePartSource(files: readonly FilePart[]): PartSource {
  return {
    known: () => files.map(({ index, bytes, digest }) => ({ index, bytes, digest })),
    async *parts() {
      for (const { index, bytes, digest, path } of files)
        yield { index, bytes, digest, open: () => createReadStream(path, { highWaterMark: CHUNK_BYTES }) }
    }
  }
}
