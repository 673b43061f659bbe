// turn-server as a TURN server on loopback: node server.mjs PORT TLS_PORT CERTIFICATE KEY
import { readFileSync } from 'node:fs';
import { createServer } from 'turn-server';

const [port, tlsPort, certificate, key] = process.argv.slice(2);
const tls = { cert: readFileSync(certificate), key: readFileSync(key) };
const server = createServer({
  auth: {
    mechanism: 'long-term',
    realm: 'lab.example',
    credentials: { alice: 'looking-glass', bob: 'builders-yard' },
  },
  relay: { ip: '127.0.0.1', externalIp: '127.0.0.1' },
  allowLoopback: true,
  tls,
});
server.on('error', (error) => console.log('error', error));
server.listen([
  { port: Number(port), address: '127.0.0.1', transport: 'udp' },
  { port: Number(port), address: '127.0.0.1', transport: 'tcp' },
  { port: Number(tlsPort), address: '127.0.0.1', transport: 'tls', ...tls },
]);
