import { createHash } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { fileIdOf } from '../../../../protocol/documents/index.ts'
import { DynamosError } from '../../../../protocol/errors/index.ts'
import type { RequestView } from '../../../api/index.ts'
import type { Client } from '../../../client/index.ts'
import { pathOf } from './follow.ts'

/** What the agent calls its pictures; from anything else no file is made. */
const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/

/** What came is not what the answer says. */
export class ArtifactAltered extends DynamosError {
  static override readonly name = 'ArtifactAltered'
  constructor(name: string, expected: string, found: string) {
    super('flow-altered', `${name}: expected ${expected}, found ${found}; get it again`)
  }
}

/**
 * Saves the pictures of an answer into a folder.
 *
 * @returns their names
 * @throws {ArtifactAltered} when bytes are not those of the digest in the answer; the file is gone then
 */
export async function saveArtifacts(client: Client, view: RequestView, folder: string): Promise<string[]> {
  const saved: string[] = []
  for (const { name, mediaType, digest } of view.artifacts) {
    if (!NAME.test(name)) continue
    const file = join(folder, name)
    const hash = createHash('sha256')
    const body = await client.download(
      `${pathOf(view.request)}/artifacts/${encodeURIComponent(name)}`,
      mediaType
    )
    await pipeline(
      body,
      async function* (chunks: AsyncIterable<Uint8Array>) {
        for await (const chunk of chunks) {
          hash.update(chunk)
          yield chunk
        }
      },
      createWriteStream(file)
    )
    const found = fileIdOf(hash.digest('hex'))
    if (found !== digest) {
      await rm(file, { force: true })
      throw new ArtifactAltered(name, digest, found)
    }
    saved.push(name)
  }
  return saved
}
