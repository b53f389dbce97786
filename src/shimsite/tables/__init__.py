"""Tables of the site, a module each: facts, claims, timeline, hosts, faults, versions, glossary."""
