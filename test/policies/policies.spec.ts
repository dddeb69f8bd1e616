import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { Policies, type PolicyChange, type PolicyFolder, watchFolder } from '../../agent/policies/index.ts'
import { RulesMalformed } from '../../policy/index.ts'
import { rejectionOf } from '../store/folder.ts'

const NIGHT = '@id("night") forbid (principal, action, resource) when { context.hour < 6 };'
const BROKEN = 'forbid (principal, action, resource)\nwhen { context.hours < 6 };'

function folderWith(text: string | null): PolicyFolder {
  return { files: text === null ? [] : [{ file: 'own.cedar', text }], ignored: [] }
}

class Desk {
  now = 1000
  folder: PolicyFolder
  fails: Error | null = null
  readonly said: string[] = []
  changed: () => void = () => {}
  watching = false

  constructor(text: string | null) {
    this.folder = folderWith(text)
  }

  async open(): Promise<Policies> {
    const say = (_fields: object, message: string) => this.said.push(message)
    return await Policies.open('/policy', {
      clock: { now: () => this.now },
      log: { info: say, warn: say, error: say },
      read: async () => {
        if (this.fails !== null) throw this.fails
        return this.folder
      },
      watch: (_folder, changed) => {
        this.changed = changed
        this.watching = true
        return () => {
          this.watching = false
        }
      }
    })
  }
}

describe('The policy folder', () => {
  it('keeps an agent from starting when a rule is wrong, with its place and the line', async () => {
    const error = await rejectionOf(new Desk(BROKEN).open())
    expect(error).to.be.instanceOf(RulesMalformed)
    expect(error.message).to.equal(
      [
        'own.cedar:2:8: attribute `hours` in context not found; did you mean `hour`?',
        '  2 | when { context.hours < 6 };',
        '             ^'
      ].join('\n')
    )
  })

  it('puts other rules in force, with another digest, and tells whoever listens', async () => {
    const desk = new Desk(null)
    const policies = await desk.open()
    const heard: PolicyChange[] = []
    const stop = policies.onChange((change) => heard.push(change))
    const before = policies.engine
    desk.folder = folderWith(NIGHT)
    desk.now = 2000
    const status = await policies.reload()
    expect(policies.engine).not.to.equal(before)
    expect(heard).to.deep.equal([{ at: 2000, previous: before.policy, policy: policies.engine.policy }])
    expect(status).to.deep.include({ policy: policies.engine.policy, since: 2000, rules: 1, broken: null })
    stop()
    desk.folder = folderWith(null)
    await policies.reload()
    expect(policies.engine.policy).to.equal(before.policy)
    expect(heard).to.have.length(1)
  })

  it('tells nobody when only a comment changed', async () => {
    const desk = new Desk(NIGHT)
    const policies = await desk.open()
    const heard: PolicyChange[] = []
    policies.onChange((change) => heard.push(change))
    desk.folder = folderWith(`// as agreed in June\n${NIGHT}`)
    await policies.reload()
    expect(heard).to.deep.equal([])
  })

  for (const [what, breaks] of [
    ['a file has a mistake', (desk: Desk) => (desk.folder = folderWith(BROKEN))],
    ['it cannot be read', (desk: Desk) => (desk.fails = new Error('EACCES'))]
  ] as const)
    it(`keeps the last good rules in force when ${what}, says so, and mends itself`, async () => {
      const desk = new Desk(NIGHT)
      const policies = await desk.open()
      const heard: PolicyChange[] = []
      policies.onChange((change) => heard.push(change))
      const { engine } = policies
      breaks(desk)
      desk.now = 2000
      const broken = await policies.reload()
      expect(policies.engine).to.equal(engine)
      expect(broken.broken?.since).to.equal(2000)
      expect(broken.broken?.findings).to.have.length(1)
      expect(desk.said.filter((one) => one.includes('last good rules'))).to.have.length(1)
      desk.now = 3000
      expect((await policies.reload()).broken?.since).to.equal(2000)
      expect(desk.said.filter((one) => one.includes('last good rules'))).to.have.length(1)
      expect(heard).to.deep.equal([])
      desk.fails = null
      desk.folder = folderWith(NIGHT)
      expect((await policies.reload()).broken).to.equal(null)
      expect(heard).to.deep.equal([])
    })

  it('is followed until the agent stops', async () => {
    const desk = new Desk(null)
    const policies = await desk.open()
    const heard = new Promise<PolicyChange>((resolve) => policies.onChange(resolve))
    policies.watch()
    desk.folder = folderWith(NIGHT)
    desk.changed()
    expect((await heard).policy).to.equal(policies.engine.policy)
    await policies.stop()
    expect(desk.watching).to.equal(false)
  })
})

describe('What watches a folder', () => {
  let base: string
  beforeEach(async () => {
    base = await mkdtemp(join(tmpdir(), 'dynamos-watch-'))
  })
  afterEach(async () => await rm(base, { recursive: true, force: true }))

  it('tells of a file that is written, and of a folder that was not there before', async () => {
    const folder = join(base, 'policy')
    const events = new EventTarget()
    const stop = watchFolder(folder, () => events.dispatchEvent(new Event('changed')))
    const heard = async () => {
      await new Promise<void>((resolve) =>
        events.addEventListener('changed', () => resolve(), { once: true })
      )
    }
    let told = heard()
    await mkdir(folder)
    await told
    told = heard()
    await writeFile(join(folder, 'own.cedar'), NIGHT)
    await told
    stop()
  })
})
