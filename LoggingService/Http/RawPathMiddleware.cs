using System.Text;
using Microsoft.AspNetCore.Http.Features;

namespace LoggingService.Http;

/// <summary>
/// The request target as it was sent. The web server decodes it and folds <c>..</c>, but homeservers leave <c>/</c>,
/// <c>.</c> and <c>~</c> of an alias as they are: <c>/rooms/%23logged_a/../b%3Aexample.org</c> is one alias.
/// </summary>
internal static class RawPathMiddleware
{
    /// <summary>
    /// Makes routing see the path as it was sent: percent-encoded, without the path that the registration's url may have,
    /// and with one slash where a homeserver that joined the two carelessly sent two.
    /// </summary>
    /// <param name="pathBase">The path of the registration's url, without a slash at its end; often empty.</param>
    public static Func<HttpContext, RequestDelegate, Task> Restore(string pathBase) => (context, next) =>
    {
        var target = context.Features.Get<IHttpRequestFeature>()!.RawTarget;
        if (target.IndexOf("://", StringComparison.Ordinal) is > 0 and var scheme && target[0] != '/')
        {
            // http://host/path, as to a proxy. The host may be written in ways that Uri would change.
            var end = target.IndexOfAny(['/', '?'], scheme + 3);
            target = end < 0 ? "" : target[end..];
        }

        var path = OneSlash(target.Split('?', 2)[0]);
        if (pathBase.Length > 0 && path.StartsWith(pathBase + "/", StringComparison.Ordinal))
        {
            path = OneSlash(path[pathBase.Length..]);
        }

        if (path.StartsWith('/'))
        {
            context.Request.Path = new PathString(path);
        }

        return next(context);
    };

    /// <summary>What a percent-encoded part of the path says; <c>null</c> where it is no UTF-8.</summary>
    /// <param name="encoded">A route value, as it was sent.</param>
    public static string? Decode(string? encoded)
    {
        if (encoded is null || !encoded.Contains('%'))
        {
            return encoded;
        }

        var bytes = new List<byte>(encoded.Length);
        for (var i = 0; i < encoded.Length; i++)
        {
            if (encoded[i] == '%' && i + 2 < encoded.Length && char.IsAsciiHexDigit(encoded[i + 1]) && char.IsAsciiHexDigit(encoded[i + 2]))
            {
                bytes.Add(Convert.ToByte(encoded.Substring(i + 1, 2), 16));
                i += 2;
            }
            else
            {
                bytes.AddRange(Encoding.UTF8.GetBytes(encoded, i, 1));
            }
        }

        var utf8 = bytes.ToArray();
        return System.Text.Unicode.Utf8.IsValid(utf8) ? Encoding.UTF8.GetString(utf8) : null;
    }

    private static string OneSlash(string path) => path.StartsWith("//", StringComparison.Ordinal) ? "/" + path.TrimStart('/') : path;
}
