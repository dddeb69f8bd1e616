import { randomBytes } from 'node:crypto'
import { link, open, rename, unlink } from 'node:fs/promises'
import { dirname } from 'node:path'

async function syncFolder(path: string): Promise<void> {
  const folder = await open(dirname(path), 'r')
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}

async function writeBeside(path: string, content: string | Uint8Array): Promise<string> {
  const temporary = `${path}.${randomBytes(6).toString('hex')}.new`
  const file = await open(temporary, 'wx', 0o600)
  try {
    await file.writeFile(content)
    await file.sync()
  } finally {
    await file.close()
  }
  return temporary
}

/** Writes a file of mode 0600 that is there whole or not at all, also after a power cut; an older one is replaced. */
export async function replacePrivateFile(path: string, content: string | Uint8Array): Promise<void> {
  await rename(await writeBeside(path, content), path)
  await syncFolder(path)
}

/** The same, but never over an existing file. @throws an error with code EEXIST when there is one */
export async function createPrivateFile(path: string, content: string | Uint8Array): Promise<void> {
  const temporary = await writeBeside(path, content)
  try {
    await link(temporary, path)
  } finally {
    await unlink(temporary)
  }
  await syncFolder(path)
}
