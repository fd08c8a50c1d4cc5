using System.Diagnostics.CodeAnalysis;
using System.Text.RegularExpressions;

namespace LoggingService.Options;

/// <summary>Checks a configured base URL: absolute, http or https, with nothing but scheme, host, port and path.</summary>
internal static partial class HttpUrl
{
    /// <summary>The error is a phrase that follows the name of the key. It repeats no text that may hold a password.</summary>
    public static bool TryParse(string text, [NotNullWhen(true)] out Uri? url, [NotNullWhen(false)] out string? error)
    {
        var isHttp = Uri.TryCreate(text, UriKind.Absolute, out url) && url.Scheme is "http" or "https" && url.Host.Length > 0;
        error = text switch
        {
            // Uri trims white space silently; the homeserver would fail at every push.
            _ when text.Any(c => char.IsWhiteSpace(c) || char.IsControl(c)) => "contains white space",
            _ when text.AsSpan().ContainsAny('?', '#') || (isHttp ? url!.UserInfo.Length > 0 : text.Contains('@')) =>
                "has a query (?), a fragment (#) or a user (@)",
            _ when FindInvalidPort(text) is { } port => $"has the port {port}; a port is 1 to 65535",
            _ when !isHttp => $"is \"{text}\", which is not an absolute http:// or https:// URL",
            _ => null,
        };
        return error is null;
    }

    private static string? FindInvalidPort(string text)
    {
        var port = Port().Match(text).Groups[1];
        return !port.Success || (int.TryParse(port.Value, out var number) && number is >= 1 and <= ushort.MaxValue) ? null : port.Value;
    }

    [GeneratedRegex(@"\Ahttps?://(?:\[[^\]/]*\]|[^:/\[]*):([^/]+)(?:/|\z)", RegexOptions.IgnoreCase)]
    private static partial Regex Port();
}
