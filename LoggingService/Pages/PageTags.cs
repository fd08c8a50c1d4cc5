using System.Globalization;
using System.IO.Hashing;
using System.Text;
using LoggingService.Visibility;
using Microsoft.Net.Http.Headers;

namespace LoggingService.Pages;

/// <summary>
/// Entity tags of what is made of days: another one whenever it changes. The same in another process with the same settings. They are
/// weak, since a proxy may compress the response. (RFC 9110, section 8.8.3)
/// </summary>
internal sealed class PageTags(Assets assets, PagesOptions options, TimeZoneInfo zone)
{
    /// <summary>What all pages show.</summary>
    private readonly string _all = $"{assets.Style} {assets.Script} {assets.LiveScript} {typeof(PageTags).Module.ModuleVersionId} "
        + $"{options.Contact} {string.Join(' ', options.RobotsAllowed)} {zone.ToSerializedString()}";

    /// <param name="form">What is made of the days: a page, a text.</param>
    public string Of(RoomVisibility room, string form, params IEnumerable<DateOnly> days)
    {
        var state = new StringBuilder($"{_all}\n{form}\n{room.Revision}\n");
        foreach (var day in days)
        {
            state.Append(CultureInfo.InvariantCulture, $"{room.FactsOf(day)?.Stamp} {LaterEvents.CountAfter(room, day)}\n");
        }

        return $"W/\"{XxHash128.HashToUInt128(Encoding.UTF8.GetBytes(state.ToString())):x32}\"";
    }

    /// <summary>Sets the tag; true, with a 304, if the client has what it stands for.</summary>
    public static bool IsUnchanged(HttpContext http, string tag)
    {
        http.Response.Headers.ETag = tag;
        var current = EntityTagHeaderValue.Parse(tag);
        if (!EntityTagHeaderValue.TryParseList(http.Request.Headers.IfNoneMatch, out var known)
            || !known.Any(other => other.Equals(EntityTagHeaderValue.Any) || other.Compare(current, useStrongComparison: false)))
        {
            return false;
        }

        http.Response.StatusCode = StatusCodes.Status304NotModified;
        return true;
    }
}
