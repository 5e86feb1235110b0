"""The bill of materials as CycloneDX 1.5 JSON: the program, the Debian packages of all that it is
linked with or that is bundled, and, as excluded components, what is pinned for its tests alone."""
import json
import re
import time
import uuid


def purl(package):
    version = package["Version"].replace(":", "%3A").replace("+", "%2B").replace("~", "%7E")
    name = package["Package"].replace("+", "%2B")
    return "pkg:deb/debian/%s@%s?arch=%s&distro=debian-12" % (name, version,
                                                               package["Architecture"])


def debian_component(package, linked, licences, digest):
    component = {
        "type": "library",
        "bom-ref": purl(package),
        "name": package["Package"],
        "version": package["Version"],
        "purl": purl(package),
        "scope": "required",
        "properties": [{"name": "cairn:linked", "value": "yes" if linked else "no"}],
    }
    if licences:
        component["licenses"] = [{"license": {"name": name}} for name in licences]
    if digest:
        component["hashes"] = [{"alg": "SHA-256", "content": digest}]
    if package["Homepage"]:
        component["externalReferences"] = [{"type": "website", "url": package["Homepage"]}]
    return component


def pinned(folder):
    """What tools/outside pins by digest: it is never shipped."""
    found = []
    with open(folder + "/requirements.txt", encoding="utf-8") as file:
        for name, version in re.findall(r"^([\w.-]+)==(\S+)", file.read(), re.M):
            found.append(("pypi", name, version))
    with open(folder + "/package-lock.json", encoding="utf-8") as file:
        for path, entry in json.load(file)["packages"].items():
            if path:
                found.append(("npm", path.split("node_modules/")[-1], entry["version"]))
    components = []
    for kind, name, version in sorted(set(found)):
        reference = "pkg:%s/%s@%s" % (kind, name.replace("@", "%40"), version)
        components.append({"type": "library", "bom-ref": reference, "purl": reference, "name": name,
                           "version": version, "scope": "excluded"})
    return components


def write(program, components, dependencies, epoch):
    """`program` is (name, version, sha256, compiler); `dependencies` maps a reference to others."""
    name, version, digest, compiler = program
    reference = "%s@%s" % (name, version)
    body = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": {
            "timestamp": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(epoch)),
            "tools": {"components": [{"type": "application", "name": "gcc", "version": compiler}]},
            "component": {"type": "application", "bom-ref": reference, "name": name,
                          "version": version, "licenses": [{"license": {"id": "Apache-2.0"}}],
                          "hashes": [{"alg": "SHA-256", "content": digest}]},
        },
        "components": components,
        "dependencies": [{"ref": ref, "dependsOn": sorted(on)}
                         for ref, on in sorted(dependencies.items())],
    }
    text = json.dumps(body, sort_keys=True)
    body["serialNumber"] = "urn:uuid:%s" % uuid.uuid5(uuid.NAMESPACE_OID, text)
    return (json.dumps(body, indent=1, sort_keys=True) + "\n").encode()
