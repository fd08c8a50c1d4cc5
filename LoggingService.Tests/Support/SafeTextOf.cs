using LoggingService.Events;
using LoggingService.Rendering;

namespace LoggingService.Tests.Support;

/// <summary><see cref="SafeText"/> from strings to strings; unpaired surrogates are kept on the way.</summary>
internal static class SafeTextOf
{
    /// <summary>As a part of a line, and as text outside of one.</summary>
    public static string Escape(string text)
    {
        var escaped = SafeText.Escape(Utf8Text.From(text)).ToString();
        Assert.Equal(escaped, SafeText.Escape(text));
        return escaped;
    }

    public static string Quoted(string text) => SafeText.Quoted(Utf8Text.From(text)).ToString();

    public static string UserId(string? id) => SafeText.UserId(id is null ? null : Utf8Text.From(id)).ToString();

    public static string FileName(string name) => SafeText.FileName(Utf8Text.From(name)).ToString();

    public static string EventType(string type) => SafeText.EventType(Utf8Text.From(type)).ToString();

    public static string ServerName(string name) => SafeText.ServerName(Utf8Text.From(name)).ToString();

    public static string Excerpt(string text) => SafeText.Excerpt(Utf8Text.From(text)).ToString();
}
