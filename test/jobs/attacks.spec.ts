import { access, mkdir, readdir, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { expect } from 'chai'
import type { JobFolder, Launcher } from '../../agent/jobs/index.ts'
import { anOrder, attacks, FS, HOSTILE, hostProcesses } from './hostile.ts'
import { aLauncher, cleanUp, failureOf, LIMITS, needsBubblewrap, temporaryFolder } from './launchers.ts'

// the list of system calls would stop many of these sooner: this is what holds beneath it
describe('a hostile job', () => {
  let launcher: Launcher
  let root: string
  let folder: JobFolder
  cleanUp()
  before(async function () {
    await needsBubblewrap(this)
    root = await temporaryFolder()
    launcher = await aLauncher({ folder: root, runner: HOSTILE, sandbox: 'bubblewrap', systemCalls: false })
  })
  beforeEach(async () => {
    folder = await launcher.folder()
  })
  afterEach(async () => {
    await folder.wipe()
  })

  const { attack, sees } = attacks(() => ({ launcher, folder }))

  it('is not root', async () => {
    expect(await sees('return [process.getuid(), process.getgid()]')).to.not.include(0)
  })

  it('reaches no port of the host', async () => {
    const server = createServer().listen(0, '127.0.0.1')
    await new Promise((resolve) => server.once('listening', resolve))
    const address = server.address()
    const port = typeof address === 'object' && address !== null ? address.port : 0
    const connect = `const net = await load('node:net'); return await new Promise((resolve) => { const s = net.connect(${port}, '127.0.0.1'); s.on('connect', () => resolve('connected')); s.on('error', (e) => resolve(e.code)) })`
    expect(await sees(connect)).to.be.oneOf(['ECONNREFUSED', 'ENETUNREACH'])
    server.close()
  })

  it('reaches no other machine and no name server', async () => {
    const connect =
      "const net = await load('node:net'); return await new Promise((resolve) => { const s = net.connect(53, '1.1.1.1'); s.on('connect', () => resolve('connected')); s.on('error', (e) => resolve(e.code)) })"
    expect(await sees(connect)).to.equal('ENETUNREACH')
    expect(
      await sees("const dns = await load('node:dns/promises'); return await dns.lookup('example.org')")
    ).to.be.oneOf(['EAI_AGAIN', 'ENOTFOUND'])
    expect(
      await sees(
        "const os = await load('node:os'); return Object.values(os.networkInterfaces()).flat().filter((i) => !i.internal)"
      )
    ).to.deep.equal([])
  })

  for (const path of [
    '/etc/passwd',
    '/etc/shadow',
    '/root',
    '/home',
    '/var',
    '/work',
    '/opt',
    '/sys',
    process.cwd(),
    process.env.HOME ?? '/root'
  ]) {
    it(`sees no ${path}`, async () => {
      expect(
        await sees(`${FS} return await fs.stat(${JSON.stringify(path)}).then(() => 'there')`)
      ).to.be.oneOf(['ENOENT', 'EACCES'])
    })
  }

  it('sees nothing of the agent’s environment', async () => {
    process.env.DYNAMOS_TEST_SECRET = 'very-secret'
    const code = `${FS} const found = [JSON.stringify(process.env)]; for (const pid of (await fs.readdir('/proc')).filter((n) => /^\\d+$/.test(n))) found.push(await fs.readFile('/proc/' + pid + '/environ', 'utf8').catch(() => '')); return found.join()`
    const found = await sees(code)
    delete process.env.DYNAMOS_TEST_SECRET
    expect(found).to.be.a('string').that.does.not.include('very-secret')
  })

  it('sees its own processes only, and can signal no other', async () => {
    const pids = await sees(`${FS} return (await fs.readdir('/proc')).filter((n) => /^\\d+$/.test(n)).length`)
    expect(pids).to.be.at.most(6)
    expect(await sees(`process.kill(${process.pid}, 'SIGKILL'); return 'sent'`)).to.be.oneOf([
      'ESRCH',
      'EPERM'
    ])
  })

  it('sees no folder of another job', async () => {
    const other = await launcher.folder()
    await writeFile(join(other.path, 'in', 'secret'), 'x')
    expect(await sees(`${FS} return (await fs.readdir('/job')).sort()`)).to.deep.equal(['in', 'out', 'tmp'])
    expect(await sees(`${FS} return await fs.readdir(${JSON.stringify(other.path)})`)).to.equal('ENOENT')
    expect(await sees(`${FS} return await fs.readdir(${JSON.stringify(root)})`)).to.equal('ENOENT')
    await other.wipe()
  })

  for (const path of ['/x', '/app/x', '/app/runner.mjs', '/usr/x', '/usr/bin/node', '/data/x', '/etc/x']) {
    it(`cannot write ${path}`, async () => {
      expect(await sees(`${FS} await fs.writeFile('${path}', 'x'); return 'written'`)).to.be.oneOf([
        'EROFS',
        'EACCES',
        'ENOENT',
        'EBUSY',
        'ETXTBSY'
      ])
    })
  }

  it('has a small /tmp', async () => {
    expect(
      await sees(`${FS} await fs.writeFile('/tmp/x', Buffer.alloc(100 * 1024 * 1024)); return 'written'`)
    ).to.equal('ENOSPC')
  })

  it('cannot make a namespace in which it is root, nor mount anything', async () => {
    const run = (command: string): string =>
      `const { spawnSync } = await load('node:child_process'); return spawnSync('/usr/bin/${command}', { shell: true }).status`
    expect(await sees(run('unshare --user --map-root-user true'))).to.not.equal(0)
    expect(await sees(run('mount -t tmpfs x /tmp'))).to.not.equal(0)
  })

  it('cannot multiply without end', async () => {
    const code =
      "const { spawn } = await load('node:child_process'); let alive = 0; for (let i = 0; i < 300; i++) { const child = spawn('/usr/bin/sleep', ['1000']); child.on('error', () => {}); if (child.pid !== undefined) alive++ } return alive"
    expect(await sees(code)).to.be.within(1, 100)
  })

  it('is ended for taking memory', async () => {
    const code =
      'const kept = []; for (;;) { kept.push(Buffer.alloc(16 * 1024 * 1024, 1)); await new Promise((resolve) => setImmediate(resolve)) }'
    const failure = await attack(code, { memory: 64 * 1024 * 1024 })
    expect(failure.code).to.equal('memory-limit')
    expect(failure.hint).to.equal('the job needed more than 64 MiB of memory')
  })

  it('is ended for taking memory where the kernel has no limit for it', async () => {
    const watched = await aLauncher({
      runner: HOSTILE,
      sandbox: 'bubblewrap',
      controlGroups: false,
      systemCalls: false
    })
    const other = await watched.folder()
    const sql =
      'const kept = []; for (;;) { kept.push(Buffer.alloc(16 * 1024 * 1024, 1)); await new Promise((resolve) => setTimeout(resolve, 5)) }'
    const job = watched.run(anOrder(sql), other, { ...LIMITS, memory: 64 * 1024 * 1024 })
    expect((await failureOf(job)).code).to.equal('memory-limit')
    await other.wipe()
  })

  it('is ended for filling the disk', async () => {
    const code = `${FS} for (let i = 0; ; i++) await fs.writeFile('/job/out/' + i, Buffer.alloc(1024 * 1024))`
    expect((await attack(code, { disk: 8 * 1024 * 1024 })).code).to.equal('disk-limit')
  })

  it('is ended at its deadline, with all it started', async () => {
    const code =
      "const { spawn } = await load('node:child_process'); spawn('/usr/bin/sleep', ['98765'], { detached: true }); for (;;) {}"
    expect((await attack(code, { seconds: 0.5 })).code).to.equal('job-timeout')
    expect(await hostProcesses('98765')).to.deep.equal([])
  })

  it('is ended when it is cancelled', async () => {
    const cancel = new AbortController()
    const job = attack(`${FS} await fs.writeFile('/job/out/begun', ''); for (;;) {}`, {}, cancel.signal)
    await eventually(() => access(join(folder.path, 'out', 'begun')))
    cancel.abort()
    expect((await job).code).to.equal('job-cancelled')
  })

  it('is ended for talking without end', async () => {
    const code =
      "for (;;) if (!process.stdout.write('x'.repeat(65536))) await new Promise((resolve) => process.stdout.once('drain', resolve))"
    expect((await attack(code)).code).to.equal('output-too-large')
  })

  it('that dies says nothing more than that', async () => {
    expect((await attack('process.abort()')).code).to.equal('job-killed')
  })

  it('is not believed when its answer is malformed', async () => {
    expect((await attack('process.stdout.write(\'{"report":1}\\n\'); for (;;) {}')).code).to.equal('internal')
  })

  for (const [how, make] of [
    ['a link', "await fs.symlink('/etc/passwd', '/job/out/part-0.parquet')"],
    [
      'a folder that is a link',
      "await fs.rm('/job/out', { recursive: true }); await fs.symlink('/etc', '/job/out')"
    ]
  ]) {
    it(`cannot pass off ${how} as its output`, async () => {
      const report = {
        kind: 'query',
        columns: [],
        rows: 0,
        steps: [],
        parts: [{ path: 'out/part-0.parquet', bytes: 1, rows: 0, digest: '0'.repeat(64) }]
      }
      const answer = JSON.stringify({ report, usage: { cpuSeconds: 0, maxRss: 0 } })
      const failure = await attack(
        `${FS} ${make}; process.stdout.write(${JSON.stringify(answer)} + '\\n'); for (;;) {}`
      )
      expect(failure.code).to.equal('internal')
      expect(failure.localMessage).to.match(/not a file/)
    })
  }

  it('leaves a folder that is gone after wiping', async () => {
    await sees(
      `${FS} await fs.mkdir('/job/out/deep/er', { recursive: true, mode: 0o000 }).catch(() => {}); await fs.writeFile('/job/out/x', 'xyz'); await fs.symlink('/etc', '/job/out/link'); return 0`
    )
    expect(await folder.wipe()).to.be.at.least(3)
    expect(await folder.wipe()).to.equal(0)
    expect(await readdir(root)).to.not.include(folder.path)
  })

  it('that a crash left behind is wiped at the next start', async () => {
    const used = await temporaryFolder()
    await mkdir(join(used, 'left', 'in'), { recursive: true })
    await writeFile(join(used, 'left', 'in', 'data'), 'x')
    await aLauncher({ folder: used, runner: HOSTILE, sandbox: 'bubblewrap' })
    expect(await readdir(used)).to.deep.equal([])
  })
})

async function eventually(check: () => Promise<unknown>): Promise<void> {
  for (;;) {
    try {
      await check()
      return
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
  }
}
