import type { Chain, composeChain } from '../../agent/composition/index.ts'

type ChainInput = Parameters<typeof composeChain>[0]

/**
 * What is wrong with a chain, found by walking it as data would: from each data provider's rows, step by step and flow by flow,
 * to the recipient. Shares no code with the composer.
 */
export function wrongWith(input: ChainInput, chain: Chain): string[] {
  const wrong: string[] = []
  const say = (holds: boolean, what: string): void => {
    if (!holds) wrong.push(what)
  }
  const { archetype, services, data, infrastructure: host, recipient } = input
  const atData = archetype.where.some((one) =>
    ['infrastructure == data', 'data == infrastructure'].includes(one)
  )
  const providers = data.map((one) => one.peer)
  // What the recipient does with results comes after everything else, whatever other role it plays.
  const ofRecipient = archetype.steps.filter((one) => one.at === 'recipient')
  const last = chain.steps.filter((step) => ofRecipient.some((one) => one.service === step.service))
  const others = chain.steps.filter((step) => !last.includes(step))
  const stepsAt = (peer: string) => others.filter((one) => one.at === peer)
  const hostSteps = host === null || providers.includes(host) ? [] : stepsAt(host)

  for (const [index, one] of chain.steps.entries())
    say(one.step === index, `step ${index} is numbered ${one.step}`)
  for (const [index, one] of chain.flows.entries())
    say(one.flow === index, `flow ${index} is numbered ${one.flow}`)
  say(chain.carries.length === chain.flows.length, 'every flow says what it carries')

  say(
    last.map((one) => `${one.service}@${one.at}`).join() ===
      ofRecipient
        .filter((one) => one.when !== 'asked' || input.asked.includes(one.service))
        .map((one) => `${one.service}@${recipient}`)
        .join(),
    `the recipient does ${last.map((one) => `${one.service}@${one.at}`).join()}`
  )
  say(
    last.every((one) => one.step >= others.length),
    'the recipient does something before the others are done'
  )
  for (const flow of chain.flows.filter(
    (one) => last.length > 0 && one.to === recipient && (hostSteps.length === 0 || one.from === host)
  ))
    say(
      services.get(chain.steps[flow.step]?.service ?? '')?.next.includes(last[0]?.service ?? '') === true,
      `what comes from ${flow.from} may not be followed by ${last[0]?.service}`
    )

  for (const { service: name, at } of others) {
    const service = services.get(name)
    say(service !== undefined, `${name} is unknown`)
    say(providers.includes(at) || at === host, `${name} stands at ${at}, which has no part`)
    say(service?.invalidIn.includes(archetype.name) !== true, `${name} is invalid here`)
    if (service?.label === 'dataProvider') say(providers.includes(at), `${name} left the data providers`)
  }

  const edge = (from: string | undefined, to: string | undefined): void => {
    const allowed = from !== undefined && to !== undefined && services.get(from)?.next.includes(to) === true
    say(allowed, `${from} is followed by ${to}`)
  }
  const takes = (name: string, inputs: number): void => {
    const range = services.get(name)?.inputs
    say(range !== undefined && inputs >= range.min && inputs <= range.max, `${name} has ${inputs} inputs`)
  }

  for (const peer of [...providers, ...(hostSteps.length > 0 && host !== null ? [host] : [])]) {
    const own = stepsAt(peer)
    say(own.length > 0, `${peer} does nothing`)
    own.forEach((one, index) => {
      const before = own[index - 1]
      if (before !== undefined) edge(before.service, one.service)
      takes(one.service, before !== undefined || peer !== host ? 1 : data.length)
    })
  }

  // Each provider's rows: out of its last step, once, to the compute provider if there is one, else to the recipient.
  for (const peer of providers) {
    const out = chain.flows.filter((one) => one.from === peer && chain.carries[one.flow]?.join() === peer)
    say(out.length === 1, `the rows of ${peer} leave ${out.length} times`)
    const [only] = out
    const last = stepsAt(peer).at(-1)
    say(only?.step === last?.step, `the flow of ${peer} does not leave its last step`)
    say(only?.to === (hostSteps.length > 0 ? host : recipient), `the rows of ${peer} go to ${only?.to}`)
    if (hostSteps.length > 0) edge(last?.service, hostSteps[0]?.service)
  }
  const results = chain.flows.filter((one) => hostSteps.length > 0 && one.from === host)
  for (const one of results) {
    say(one.to === recipient, `a result goes to ${one.to}`)
    say(one.step === hostSteps.at(-1)?.step, 'a result does not leave the last step')
  }
  if (hostSteps.length > 0) {
    const whose = results.map((one) => (chain.carries[one.flow] ?? []).join())
    const expected = input.union ? [providers.join()] : providers
    say(whose.join('|') === expected.join('|'), `results carry ${whose.join('|')}`)
  }
  say(chain.flows.length === data.length + results.length, 'there are flows that nobody asked for')

  // Each step of the archetype, once where it belongs, or not at all.
  const belongs = (service: string, peer: string): number => {
    const required = data.find((one) => one.peer === peer)?.required.includes(service) ?? false
    const asked = input.asked.includes(service)
    return archetype.steps.filter((one) => {
      const here =
        one.at === 'data' || (one.at === 'infrastructure' && atData)
          ? providers.includes(peer)
          : peer === host
      if (one.service !== service || one.at === 'recipient' || !here) return false
      if (one.when === 'several') return input.union && data.length > 1
      if (one.when === 'asked') return asked
      return one.when === 'required' ? asked || required : true
    }).length
  }
  for (const peer of host === null ? providers : [...providers, host]) {
    for (const name of services.keys()) {
      const found = stepsAt(peer).filter((one) => one.service === name).length
      say(found === belongs(name, peer), `${name} stands ${found} times at ${peer}`)
    }
  }
  for (const { peer, required } of data) {
    for (const name of required)
      say(
        stepsAt(peer).some((one) => one.service === name),
        `${name} is required at ${peer}`
      )
  }
  for (const one of archetype.steps) {
    say(
      ['data', 'infrastructure', 'recipient'].includes(one.at),
      `the step of ${one.service} at ${one.at} was dropped`
    )
  }
  return wrong
}
