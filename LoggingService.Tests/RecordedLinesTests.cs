using LoggingService.Tests.Support;

namespace LoggingService.Tests;

/// <summary>How what people said to a real Synapse reads.</summary>
public class RecordedLinesTests
{
    [Fact]
    public void An_everyday_evening_reads_as_a_conversation()
    {
        string[] evening =
        [
            "<@alice:localhost> Good morning everyone",
            "* @bob:localhost waves",
            "-@carol:localhost- build 1234 finished",
            "<@alice:localhost> I will be their at noon",
            "<@alice:localhost, edit of 12:30:21> I will be there at noon",
            "<@bob:localhost, to @alice:localhost 12:30:21 \"I will be their at noon\"> see you then",
            "*** @bob:localhost reacted \"👍\" to @alice:localhost 12:30:21 \"Good morning everyone\"",
            "*** @carol:localhost reacted \"❤️\" to @alice:localhost 12:30:21 \"Good morning everyone\"",
            "*** @bob:localhost removed the reaction of @bob:localhost 12:30:21",
            "<@bob:localhost, in thread \"Thread: where to have lunch?\"> pizza",
            "<@alice:localhost, image cat.png, 1×1, 67 B, mxc://localhost/NWwXvukOYZINzsECQCkktMux>",
            "<@bob:localhost, file report.pdf, 12.3 KB, mxc://localhost/abcdefABCDEF>",
            "<@carol:localhost, voice voice.ogg, 0:02, mxc://localhost/abcdefABCDEF>",
            "<@alice:localhost, video clip.mp4, 640×480, 0:09, 99 B, mxc://localhost/abcdefABCDEF>",
            "<@bob:localhost, location 55.6,13.0> Malmö",
            "<@carol:localhost, sticker \"Party parrot\", 128×128, mxc://localhost/abcdefABCDEF>",
            "<@alice:localhost, poll> Lunch? (1) soup (2) pizza",
            "*** @bob:localhost voted",
            "<@alice:localhost, poll ended> soup won",
            "*** @bob:localhost removed the message of @bob:localhost 12:30:22: \"posted by mistake\"",
            "*** @bob:localhost removed the message of @bob:localhost 12:30:22",
            "*** @carol:localhost ended the call",
            "<@bob:localhost, encrypted: cannot be logged>",
            "*** @bob:localhost removed the message of @bob:localhost 12:30:24: \"version 1 redaction\"",
        ];

        // In this order, with other lines between.
        var lines = RecordedTraffic.Lines("everyday").GetEnumerator();
        Assert.All(evening, line => Assert.True(Until(line), line));

        bool Until(string line)
        {
            while (lines.MoveNext())
            {
                if (lines.Current == line)
                {
                    return true;
                }
            }

            return false;
        }
    }
}
