// Digital Bazaar's verifier over certificates and status lists that it is given; nothing is fetched.
//
// stdin:  [{credential, lists, now}, …], `now` in ISO 8601
// stdout: [{verified, error, statuses: {purpose: bit}}, …]
import * as vc from '@digitalbazaar/vc';
import {readFileSync} from 'node:fs';
import {contexts} from '@digitalbazaar/credentials-context';
import {createVerifyCryptosuite} from '@digitalbazaar/eddsa-jcs-2022-cryptosuite';
import {DataIntegrityProof} from '@digitalbazaar/data-integrity';
import {checkStatus} from '@digitalbazaar/vc-bitstring-status-list';

const suite = new DataIntegrityProof({cryptosuite: createVerifyCryptosuite()});

function keyDocument(url) {
  const [controller, fragment] = url.split('#');
  const publicKeyMultibase = controller.slice('did:key:'.length);
  const method = {id: `${controller}#${publicKeyMultibase}`, type: 'Multikey', controller, publicKeyMultibase};
  const multikey = {'@context': 'https://w3id.org/security/multikey/v1', ...method};
  return fragment ? multikey : {
    '@context': ['https://www.w3.org/ns/did/v1', 'https://w3id.org/security/multikey/v1'],
    id: controller, verificationMethod: [method], assertionMethod: [method]
  };
}

function loaderOf(lists) {
  return async url => {
    const list = lists.find(item => item.id === url);
    const document = list ?? contexts.get(url) ?? (url.startsWith('did:key:') ? keyDocument(url) : undefined);
    if(!document) {
      throw new Error(`not at hand: ${url}`);
    }
    return {contextUrl: null, documentUrl: url, document};
  };
}

async function verify({credential, lists, now}) {
  const documentLoader = loaderOf(lists);
  // The lists are the exchange's, the certificate is the registrar's; the certificate names who may sign its lists.
  const named = (credential.credentialStatus ?? []).map(entry => entry.statusListIssuer);
  const isNamed = lists.every(list => named.includes(list.issuer));
  const options = {suite, documentLoader, now: new Date(now)};
  // checkStatus would verify the lists as of the machine's clock; here they are verified as of `now`.
  const lookedAt = await Promise.all(lists.map(list => vc.verifyCredential({...options, credential: list})));
  const result = await vc.verifyCredential({
    ...options, credential,
    checkStatus: !credential.credentialStatus ? undefined : given => checkStatus({
      ...given, suite, documentLoader, verifyMatchingIssuers: false, verifyBitstringStatusListCredential: false
    })
  });
  const found = result.statusResult?.results ?? [];
  const statuses = Object.fromEntries(found.map(one => [one.credentialStatus.statusPurpose, one.status]));
  const errors = [result, result.statusResult ?? {}, ...lookedAt].map(one => one.error).filter(Boolean);
  const error = errors.flatMap(one => [one, ...(one.errors ?? [])]).map(one => one.message).join('; ');
  const verified = result.verified && isNamed && lookedAt.every(one => one.verified);
  return {verified, error, statuses};
}

const given = JSON.parse(readFileSync(0, 'utf8'));
process.stdout.write(JSON.stringify(await Promise.all(given.map(verify))));
