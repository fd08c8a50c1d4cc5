using System.Text;
using Microsoft.AspNetCore.Html;

namespace LoggingService.Pages;

/// <summary>The part of a text around what was found, as HTML in which that is marked.</summary>
internal static class SearchExcerpt
{
    private const int MaxLength = 400;

    /// <summary>Characters before the first mark.</summary>
    private const int Lead = 120;

    /// <param name="marks">In their order, without overlaps.</param>
    public static HtmlString Create(string text, IReadOnlyList<Range> marks)
    {
        var first = marks.Count > 0 ? marks[0].Start.Value : 0;
        var start = text.Length <= MaxLength ? 0 : Boundary(text, Math.Min(Math.Max(0, first - Lead), text.Length - MaxLength));
        var end = Boundary(text, Math.Min(text.Length, start + MaxLength));
        var html = new StringBuilder(start > 0 ? "…" : "");
        var position = start;
        foreach (var mark in marks)
        {
            var (from, to) = (Math.Max(position, mark.Start.Value), Math.Min(end, mark.End.Value));
            if (from < to)
            {
                Append(html, text[position..from]);
                html.Append("<mark>");
                Append(html, text[from..to]);
                html.Append("</mark>");
                position = to;
            }
        }

        Append(html, text[position..end]);
        return new(html.Append(end < text.Length ? "…" : "").ToString());
    }

    /// <summary>The parts of an event's text are on lines of their own, with a mark of the index between them.</summary>
    private static void Append(StringBuilder html, string text) =>
        html.Append(MessageHtml.Encoder.Encode(text.Replace("\n\uE000\n", " · ", StringComparison.Ordinal)));

    /// <summary>Not within a surrogate pair.</summary>
    private static int Boundary(string text, int index) =>
        index > 0 && index < text.Length && char.IsLowSurrogate(text[index]) ? index - 1 : index;
}
