"""Which addresses belong to the public internet."""
import ipaddress

# What a gateway translates to the IPv4 address in the last four bytes (RFC 6052).
_NAT64 = ipaddress.IPv6Network('64:ff9b::/96')
_GLOBAL_UNICAST = ipaddress.IPv6Network('2000::/3')
# Tunnels, which end at an IPv4 address that is inside: 6to4 and Teredo.
_TUNNELS = tuple(map(ipaddress.IPv6Network, ('2002::/16', '2001::/32')))
# Not public, whatever the lists of an older Python say: for protocols (some clouds tell a
# machine of itself there), and for documents.
_SPECIAL = (ipaddress.IPv4Network('192.0.0.0/24'), ipaddress.IPv6Network('3fff::/20'))


def is_public(address: str) -> bool:
    """Whether a numeric IPv4 or IPv6 address is one of the public internet.

    An IPv6 address that stands for an IPv4 address is as public as that is. Addresses of
    tunnels into IPv4 count as not public, and so does whatever is no address.
    """
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    if parsed.version == 6:
        if parsed.ipv4_mapped is not None:
            parsed = parsed.ipv4_mapped
        elif parsed in _NAT64:
            parsed = ipaddress.IPv4Address(parsed.packed[-4:])
        elif parsed not in _GLOBAL_UNICAST or any(parsed in tunnel for tunnel in _TUNNELS):
            return False
    if any(parsed in network for network in _SPECIAL):
        return False
    return parsed.is_global and not parsed.is_multicast and not parsed.is_reserved
