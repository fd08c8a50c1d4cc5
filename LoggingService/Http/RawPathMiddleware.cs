using System.Net;
using System.Text;
using System.Text.RegularExpressions;
using System.Text.Unicode;
using LoggingService.Registration;
using Microsoft.AspNetCore.Http.Features;

namespace LoggingService.Http;

/// <summary>
/// Routes by the path as it was sent: percent-encoded and with its dot segments, without the path of the registration's url.
/// Kestrel decodes it and resolves <c>..</c>, but homeservers do not encode <c>/</c>, <c>.</c> and <c>~</c> of an alias:
/// <c>/rooms/%23logged_a/../b%3Aexample.org</c> is one alias.
/// </summary>
internal sealed partial class RawPathMiddleware(RequestDelegate next, AppServiceRegistration registration)
{
    private readonly string _pathBase = registration.PathBase;

    public Task InvokeAsync(HttpContext context)
    {
        var target = Authority().Replace(context.Features.Get<IHttpRequestFeature>()!.RawTarget, "");
        var path = CollapseLeadingSlashes(target.Split('?', 2)[0]);
        if (_pathBase.Length > 0 && path.StartsWith(_pathBase + "/", StringComparison.Ordinal))
        {
            path = CollapseLeadingSlashes(path[_pathBase.Length..]);
        }

        if (path.StartsWith('/'))
        {
            context.Request.Path = new PathString(path);
        }

        return next(context);
    }

    /// <summary>Decodes a percent-encoded route value; <c>null</c> if the result is not UTF-8.</summary>
    public static string? Decode(string encoded)
    {
        // UrlDecode is for query strings, where + is a space.
        var escaped = Encoding.UTF8.GetBytes(encoded.Replace("+", "%2B", StringComparison.Ordinal));
        var utf8 = WebUtility.UrlDecodeToBytes(escaped, 0, escaped.Length);
        return Utf8.IsValid(utf8) ? Encoding.UTF8.GetString(utf8) : null;
    }

    /// <summary>A homeserver may join the registration's url, with a trailing slash, and the path.</summary>
    private static string CollapseLeadingSlashes(string path) =>
        path.StartsWith("//", StringComparison.Ordinal) ? "/" + path.TrimStart('/') : path;

    // Of the absolute form, as sent to a proxy. Uri would normalize the host, which may be anything.
    [GeneratedRegex(@"\A[^/].*?://[^/?]*", RegexOptions.Singleline)]
    private static partial Regex Authority();
}
