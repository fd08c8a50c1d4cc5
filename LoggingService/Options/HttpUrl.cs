using System.Diagnostics.CodeAnalysis;

namespace LoggingService.Options;

/// <summary>Checks a configured base URL: absolute, http or https, with nothing but scheme, host, port and path.</summary>
internal static class HttpUrl
{
    /// <summary>The error is a phrase that follows the name of the key. It repeats no text that may hold a password.</summary>
    public static bool TryParse(string text, [NotNullWhen(true)] out Uri? url, [NotNullWhen(false)] out string? error)
    {
        url = null;

        // Uri trims white space silently; the homeserver would fail at every push.
        if (text.Any(c => char.IsWhiteSpace(c) || char.IsControl(c)))
        {
            error = "contains white space";
            return false;
        }

        if (!Uri.TryCreate(text, UriKind.Absolute, out var parsed) || parsed.Scheme is not ("http" or "https") || parsed.Host.Length == 0)
        {
            error = $"is \"{text}\", which is not an absolute http:// or https:// URL";
            return false;
        }

        if (parsed.UserInfo.Length > 0 || text.AsSpan().ContainsAny('?', '#'))
        {
            error = "has a query (?), a fragment (#) or a user (@)";
            return false;
        }

        url = parsed;
        error = null;
        return true;
    }
}
