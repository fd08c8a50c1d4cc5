using System.Net;
using LoggingService.Options;

namespace LoggingService.Registration;

/// <summary>
/// The keys that only the homeserver heeds. It refuses the file, and doesn't start, when one of them is wrong; so it is
/// told here, where the reason can be read.
/// </summary>
internal static class RegistrationExtras
{
    /// <summary>Checks them.</summary>
    /// <exception cref="ConfigurationException">One is wrong.</exception>
    internal static void Check(YamlNode root)
    {
        foreach (var key in (string[])["org.matrix.msc3202", "io.element.msc4190"])
        {
            if (root.Has(key, out var flag))
            {
                flag.AsBoolean();
            }
        }

        if (root.Has("protocols", out var protocols) && protocols.Kind != YamlKind.Null)
        {
            foreach (var protocol in protocols.AsList())
            {
                protocol.AsString();
            }
        }

        if (root.Has("ip_range_whitelist", out var ranges) && ranges.Kind != YamlKind.Null)
        {
            foreach (var range in ranges.AsList())
            {
                if (!IsRange(range.AsString()))
                {
                    throw range.Mistake($"is \"{range.Text}\", which is no range of addresses: write one like \"127.0.0.0/8\"");
                }
            }
        }
    }

    // Not IPNetwork: that refuses 127.0.0.1/8, which the homeserver takes.
    private static bool IsRange(string text)
    {
        var slash = text.IndexOf('/');
        var isAddress = IPAddress.TryParse(slash < 0 ? text : text[..slash], out var address);
        return isAddress && (slash < 0
            || (int.TryParse(text.AsSpan(slash + 1), out var bits) && bits >= 0 && bits <= address!.GetAddressBytes().Length * 8));
    }
}
