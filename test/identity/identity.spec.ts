import { spawn } from 'node:child_process'
import { chmod, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { expect } from 'chai'
import {
  DirectoryInUse,
  KeyFileMissing,
  KeyFileOpen,
  loadKey,
  loadOrCreateKey,
  lockDirectory,
  NotAKeyFile,
  peerOfKeyFile,
  WrongPassphrase
} from '../../agent/identity/index.ts'
import { thrownBy } from '../streams/loopback.ts'

describe('identity', () => {
  let folder: string
  let path: string
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'dynamos-identity-'))
    path = join(folder, 'agent.key')
  })
  afterEach(async () => {
    await rm(folder, { recursive: true })
  })

  describe('a key file', () => {
    it('is made once, readable by its owner only, and gives the same key ever after', async () => {
      const made = await loadOrCreateKey(path)
      expect((await stat(path)).mode & 0o777).to.equal(0o600)
      expect((await loadOrCreateKey(path)).equals(made)).to.equal(true)
    })

    it('is the same key for everybody who makes it at once', async () => {
      const keys = await Promise.all(Array.from({ length: 8 }, async () => await loadOrCreateKey(path)))
      expect(new Set(keys.map((key) => peerIdFromPrivateKey(key).toString())).size).to.equal(1)
    })

    it('opens with its passphrase only, and tells its peer id without', async () => {
      const made = await loadOrCreateKey(path, { passphrase: 'correct horse' })
      expect((await loadKey(path, { passphrase: 'correct horse' })).equals(made)).to.equal(true)
      expect(await thrownBy(loadKey(path, { passphrase: 'wrong horse' }))).to.be.instanceOf(WrongPassphrase)
      expect(await thrownBy(loadKey(path))).to.be.instanceOf(WrongPassphrase)
      expect(await peerOfKeyFile(path)).to.deep.equal({
        peer: peerIdFromPrivateKey(made).toString(),
        passphrase: true
      })
    })

    it('is refused when others may read it', async () => {
      await loadOrCreateKey(path)
      await chmod(path, 0o640)
      expect(await thrownBy(loadKey(path))).to.be.instanceOf(KeyFileOpen)
    })

    it('is refused when it is something else, and is not replaced', async () => {
      await writeFile(path, 'no key', { mode: 0o600 })
      expect(await thrownBy(loadOrCreateKey(path))).to.be.instanceOf(NotAKeyFile)
      expect(await readFile(path, 'utf8')).to.equal('no key')
    })

    it('is refused when its peer id was altered', async () => {
      await loadOrCreateKey(path)
      const other = await loadOrCreateKey(join(folder, 'other.key'))
      const file = JSON.parse(await readFile(path, 'utf8'))
      file.peer = peerIdFromPrivateKey(other).toString()
      await writeFile(path, JSON.stringify(file))
      expect(await thrownBy(loadKey(path))).to.be.instanceOf(NotAKeyFile)
    })

    it('is missed with what to do', async () => {
      expect(await thrownBy(loadKey(path))).to.be.instanceOf(KeyFileMissing)
    })
  })

  describe('the lock of a data directory', () => {
    it('keeps a second agent off, and lets the next one in', async () => {
      const lock = await lockDirectory(folder)
      const error = await thrownBy(lockDirectory(folder))
      expect(error).to.be.instanceOf(DirectoryInUse)
      expect(error.message).to.contain(`process ${process.pid}`)
      await lock.release()
      await (await lockDirectory(folder)).release()
    })

    it('is free again after its holder was killed', async () => {
      const child = spawn(
        process.execPath,
        [
          '--import=tsx',
          '--import=./agent/polyfill.ts',
          '--input-type=module',
          '-e',
          `import { lockDirectory } from './agent/identity/index.ts'
           await lockDirectory(${JSON.stringify(folder)})
           console.log('locked')
           setInterval(() => {}, 1000)`
        ],
        { stdio: ['ignore', 'pipe', 'inherit'] }
      )
      await new Promise((resolve) => child.stdout.once('data', resolve))
      expect(await thrownBy(lockDirectory(folder))).to.be.instanceOf(DirectoryInUse)
      const gone = new Promise((resolve) => child.once('exit', resolve))
      child.kill('SIGKILL')
      await gone
      await (await lockDirectory(folder)).release()
    })

    it('takes no notice of a file left by a process that is gone', async () => {
      await writeFile(
        join(folder, 'agent.pid'),
        JSON.stringify({ pid: 1, started: 'long ago', boot: 'another' })
      )
      await (await lockDirectory(folder)).release()
    })
  })
})
