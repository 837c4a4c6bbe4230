using System.Globalization;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using LoraFhe.Cryptography;

namespace LoraFhe.Benchmarks;

/// <summary>The server half in a process of its own: takes layers, answers encrypted requests, holds no key. One connection, on the loopback interface,
/// over TLS; it ends with that connection or with the process that started it.</summary>
internal static class ProductServer
{
    public const string Command = "serve-of";
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    /// <summary>Serves. Writes one line first: the port, and the SHA-256 of the certificate that was made for this run.</summary>
    /// <param name="arguments">The most threads for one product.</param>
    /// <param name="output">Gets the line.</param>
    /// <param name="parent">Ends when the process that started this one does.</param>
    public static int Run(string[] arguments, TextWriter output, TextReader parent)
    {
        using var certificate = MakeCertificate();
        using var listener = new TcpListener(IPAddress.Loopback, port: 0);
        listener.Start(backlog: 1);
        output.WriteLine($"{((IPEndPoint)listener.LocalEndpoint).Port} {certificate.GetCertHashString(HashAlgorithmName.SHA256)}");
        output.Flush();
        var ended = Task.Run(parent.ReadToEnd);
        var accepted = listener.AcceptTcpClientAsync();
        if (Task.WaitAny([accepted, ended], Patience) != 0)
        {
            return 1;
        }

        using var connection = accepted.Result;
        listener.Stop();
        _ = ended.ContinueWith(_ => connection.Close(), TaskScheduler.Default);
        connection.NoDelay = true;
        var stream = new SslStream(connection.GetStream());
        stream.AuthenticateAsServer(new SslServerAuthenticationOptions { ServerCertificate = certificate, EnabledSslProtocols = SslProtocols.Tls13 });
        using var frames = new FrameStream(stream);
        Serve(frames, int.Parse(arguments[0], CultureInfo.InvariantCulture));
        return 0;
    }

    private static void Serve(FrameStream frames, int maxThreads)
    {
        var evaluators = new List<LinearEvaluator>();
        var response = Array.Empty<byte>();
        try
        {
            while (frames.Read() is { } frame)
            {
                if (frame.Kind == FrameKind.Layer)
                {
                    var (layer, direction, seed) = ServedLayer.FromBytes(frame.Content);
                    evaluators.Add(new LinearEvaluator(layer, direction, Binding.Compute(layer, direction, seed), maxThreads));
                    frames.Write(FrameKind.Layer, []);
                    continue;
                }

                Answer(frames, frame.Content.Span, evaluators, ref response);
            }
        }
        finally
        {
            evaluators.ForEach(evaluator => evaluator.Dispose());
        }
    }

    private static void Answer(FrameStream frames, ReadOnlySpan<byte> content, List<LinearEvaluator> evaluators, ref byte[] response)
    {
        try
        {
            var evaluator = evaluators[BitConverter.ToInt32(content)];
            var request = content[sizeof(int)..];
            var length = evaluator.ResponseLength(request);
            if (response.Length < length)
            {
                response = new byte[length];
            }

            evaluator.Evaluate(request, response.AsSpan(0, length));
            frames.Write(FrameKind.Response, response.AsSpan(0, length));
        }
        catch (Exception exception) when (exception is InvalidDataException or ArgumentException)
        {
            frames.Write(FrameKind.Fault, Encoding.UTF8.GetBytes(exception.Message));
        }
    }

    private static X509Certificate2 MakeCertificate()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256);
        var now = TimeProvider.System.GetUtcNow();
        return request.CreateSelfSigned(now.AddMinutes(-5), now.AddDays(1));
    }
}
