/** The whole server with nginx in front, from outside: each test leaves it up and as it found it. */

import "./local-ca/clients.ts";
import "./local-ca/outside.ts";
import "./local-ca/renewal.ts";
import "./local-ca/updates.ts";
import "./local-ca/containers.ts";
