namespace LoggingService.Rendering;

/// <summary>The lines of a place that is told as it changes: <c>m.beacon_info</c>, the state that says whether somebody does, and <c>m.beacon</c>, each place. (MSC3672, MSC3489; MSC3488 for places.)</summary>
internal static class LiveLocationLine
{
    /// <summary><c>*** @bob:example.org started sharing their live location for 15 minutes: "on my bike"</c>; <c>null</c> where content has a wrong type, says nothing of it, or is about somebody else.</summary>
    public static string? Info(RenderContext context)
    {
        var types = new TypeCheck();
        var content = context.Event.Content;
        var live = types.Boolean(content["live"u8]);
        var timeout = types.Integer(content["timeout"u8]);
        var description = types.NonEmpty(content["description"u8]);
        if (types.Failed || live is null || !context.IsOwnState)
        {
            return null;
        }

        if (live == false)
        {
            return $"*** {context.Sender} stopped sharing their live location";
        }

        var howLong = timeout > 0 ? $" for {DescribeDuration(timeout.Value)}" : "";
        return $"*** {context.Sender} started sharing their live location{howLong}{(description is null ? "" : $": {SafeText.Quoted(description)}")}";
    }

    /// <summary><c>&lt;@bob:example.org, live location 55.6,13.0&gt;</c>; <c>null</c> where content has a wrong type or no place.</summary>
    public static string? Place(RenderContext context) => MessageLine.Render(context, static (relation, types) =>
    {
        var place = Attachment.Location(relation.Content, types);
        return place == "location" ? null : MessageContent.Plain(Attachment.PlaceName(relation.Content, types) ?? "", $"live {place}");
    });

    private static string DescribeDuration(long milliseconds)
    {
        var (count, unit) = (milliseconds / 1000) switch
        {
            var s when s >= 3600 && s % 3600 == 0 => (s / 3600, "hour"),
            var s when s >= 60 => (s / 60, "minute"),
            var s => (s, "second"),
        };
        return count == 1 ? $"1 {unit}" : $"{count} {unit}s";
    }
}
