import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { SMTPServer } from 'smtp-server'

/** A message that somebody took. */
export interface Received {
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

/** Takes what is posted to it. */
export interface PostReceiver {
  readonly url: string
  readonly received: Received[]
  /** What the next posts are answered; 200 after that. */
  readonly answers: number[]
  close(): Promise<void>
}

export async function startPostReceiver(): Promise<PostReceiver> {
  const received: Received[] = []
  const answers: number[] = []
  const server = createServer((request, response) => {
    const parts: Buffer[] = []
    request.on('data', (part: Buffer) => parts.push(part))
    request.on('end', () => {
      const status = answers.shift() ?? 200
      if (status === 200) {
        received.push({ headers: request.headers, body: Buffer.concat(parts).toString() })
      }
      response.writeHead(status).end()
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}/hook`,
    received,
    answers,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

/** A mail server that lets one user in and keeps what it takes. */
export interface MailReceiver {
  readonly url: string
  readonly mails: { readonly from: string; readonly to: readonly string[]; readonly text: string }[]
  close(): Promise<void>
}

export async function startMailReceiver(user: string, password: string): Promise<MailReceiver> {
  const mails: MailReceiver['mails'] = []
  const server = new SMTPServer({
    disabledCommands: ['STARTTLS'],
    allowInsecureAuth: true,
    onAuth(auth, _session, done) {
      if (auth.username === user && auth.password === password) done(null, { user })
      else done(new Error('wrong password'))
    },
    onData(stream, { envelope }, done) {
      const parts: Buffer[] = []
      stream.on('data', (part: Buffer) => parts.push(part))
      stream.on('end', () => {
        const from = envelope.mailFrom === false ? '' : envelope.mailFrom.address
        const to = envelope.rcptTo.map(({ address }) => address)
        mails.push({ from, to, text: Buffer.concat(parts).toString() })
        done()
      })
    },
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()))
  const { port } = server.server.address() as AddressInfo
  return {
    url: `smtp://${user}:${encodeURIComponent(password)}@127.0.0.1:${port}`,
    mails,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  }
}
