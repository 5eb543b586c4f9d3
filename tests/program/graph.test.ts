/** What the whole program registers. One process for all: each run of the program takes a second. */

import "./graph/what-there-is.ts";
import "./graph/data.ts";
import "./graph/ownership.ts";
import "./graph/services.ts";
import "./graph/commands.ts";
import "./graph/acme-and-secrets.ts";
import "./graph/files.ts";
import "./graph/ports.ts";
import "./graph/outputs.ts";
import "./graph/outer-proxy.ts";
import "./graph/asked.ts";
import "./graph/backups.ts";
